/* TLS handshakes at the speed of OpenSSL itself, with epoll: a server on many addresses, and the client that is the floor of a probe.
 *
 *   handshakes serve PAIRS RSA_PEM ECDSA_PEM... ADDRESS:PORT...   prints "ready", and serves until its standard input ends
 *   handshakes probe ADDRESS:PORT...                              one full handshake for each key family of each port
 *
 * The server follows the client's order, as Unified CM does; its ports take turns with so many pairs of certificates. It prints its CPU
 * seconds at the end. The client prints its wall seconds, its CPU seconds, and the bytes of certificates that it received.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { AT_ONCE = 256, EVENTS = 512 };

struct peer {
    int socket, is_listener;
    SSL *ssl;
    SSL_CTX *context;
};

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec / 1e9;
}

static void fail(const char *what) {
    perror(what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static struct sockaddr_in parse(const char *text) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    char host[64] = "";
    int port = 0;
    if (sscanf(text, "%63[^:]:%d", host, &port) != 2 || inet_pton(AF_INET, host, &address.sin_addr) != 1) fail(text);
    address.sin_port = htons(port);
    return address;
}

static void watch(int poll, struct peer *peer, int operation, unsigned events) {
    struct epoll_event event = {.events = events, .data.ptr = peer};
    if (epoll_ctl(poll, operation, peer->socket, &event)) fail("epoll_ctl");
}

static void drop(struct peer *peer) {
    SSL_free(peer->ssl);
    close(peer->socket);
    free(peer);
}

/* Server */

static void step_server(int poll, struct peer *peer) {
    char buffer[256];
    int result = SSL_is_init_finished(peer->ssl) ? SSL_read(peer->ssl, buffer, sizeof buffer) : SSL_accept(peer->ssl);
    if (result <= 0 && SSL_get_error(peer->ssl, result) != SSL_ERROR_WANT_READ) {
        ERR_clear_error();
        drop(peer);
        return;
    }
    watch(poll, peer, EPOLL_CTL_MOD, EPOLLIN | EPOLLONESHOT);
}

static void take_connections(int poll, struct peer *listener) {
    int socket;
    while ((socket = accept4(listener->socket, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct peer *peer = calloc(1, sizeof *peer);
        peer->socket = socket;
        peer->ssl = SSL_new(listener->context);
        SSL_set_fd(peer->ssl, socket);
        watch(poll, peer, EPOLL_CTL_ADD, EPOLLIN | EPOLLONESHOT);
    }
}

static SSL_CTX *make_server_context(const char *rsa, const char *ecdsa) {
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    const char *files[] = {rsa, ecdsa};
    for (int number = 0; number < 2; number++)
        if (SSL_CTX_use_certificate_chain_file(context, files[number]) != 1 ||
            SSL_CTX_use_PrivateKey_file(context, files[number], SSL_FILETYPE_PEM) != 1)
            fail(files[number]);
    return context;
}

static double spent(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int serve(int pairs, char **files, int count, char **addresses) {
    SSL_CTX **contexts = calloc(pairs, sizeof *contexts);
    for (int number = 0; number < pairs; number++) contexts[number] = make_server_context(files[2 * number], files[2 * number + 1]);
    int poll = epoll_create1(0), yes = 1;
    for (int number = 0; number < count; number++) {
        struct sockaddr_in address = parse(addresses[number]);
        struct peer *listener = calloc(1, sizeof *listener);
        listener->is_listener = 1;
        listener->context = contexts[number % pairs];
        listener->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        setsockopt(listener->socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        if (bind(listener->socket, (struct sockaddr *)&address, sizeof address) || listen(listener->socket, 128)) fail(addresses[number]);
        watch(poll, listener, EPOLL_CTL_ADD, EPOLLIN);
    }
    struct peer input = {.socket = 0};
    watch(poll, &input, EPOLL_CTL_ADD, EPOLLIN);
    puts("ready");
    fflush(stdout);
    struct epoll_event events[EVENTS];
    for (;;) {
        int ready = epoll_wait(poll, events, EVENTS, -1);
        for (int number = 0; number < ready; number++) {
            struct peer *peer = events[number].data.ptr;
            if (peer == &input) {
                printf("%f\n", spent());
                return 0;
            }
            if (peer->is_listener) take_connections(poll, peer);
            else step_server(poll, peer);
        }
    }
}

/* Client */

static size_t received;

static void keep_chain(SSL *ssl) {
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    for (int number = 0; number < sk_X509_num(chain); number++) {
        unsigned char *der = NULL;
        int length = i2d_X509(sk_X509_value(chain, number), &der);
        received += length;
        OPENSSL_free(der);
    }
}

static int step_client(int poll, struct peer *peer) {
    int result = SSL_connect(peer->ssl);
    if (result == 1) {
        keep_chain(peer->ssl);
        drop(peer);
        return 1;
    }
    int error = SSL_get_error(peer->ssl, result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) fail("handshake");
    watch(poll, peer, EPOLL_CTL_MOD, error == SSL_ERROR_WANT_READ ? EPOLLIN : EPOLLOUT);
    return 0;
}

static SSL_CTX *make_client_context(const char *ciphers) {
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    if (SSL_CTX_set_cipher_list(context, ciphers) != 1) fail(ciphers);
    return context;
}

static int probe(int count, char **addresses) {
    double began = now();
    SSL_CTX *contexts[] = {make_client_context("aRSA:!eNULL"), make_client_context("aECDSA:!eNULL")};
    int poll = epoll_create1(0), begun = 0, open = 0, done = 0;
    struct epoll_event events[EVENTS];
    while (done < 2 * count) {
        for (; begun < 2 * count && open < AT_ONCE; begun++, open++) {
            struct sockaddr_in address = parse(addresses[begun / 2]);
            struct peer *peer = calloc(1, sizeof *peer);
            peer->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
            if (connect(peer->socket, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) fail("connect");
            peer->ssl = SSL_new(contexts[begun % 2]);
            SSL_set_fd(peer->ssl, peer->socket);
            watch(poll, peer, EPOLL_CTL_ADD, EPOLLOUT);
        }
        int ready = epoll_wait(poll, events, EVENTS, 10000);
        if (ready <= 0) fail("no answer");
        for (int number = 0; number < ready; number++) {
            int finished = step_client(poll, events[number].data.ptr);
            done += finished;
            open -= finished;
        }
    }
    printf("%f %f %zu\n", now() - began, spent(), received);
    return 0;
}

int main(int count, char **words) {
    int pairs = count > 3 && !strcmp(words[1], "serve") ? atoi(words[2]) : 0;
    if (pairs > 0 && count > 3 + 2 * pairs) return serve(pairs, words + 3, count - 3 - 2 * pairs, words + 3 + 2 * pairs);
    if (count > 2 && !strcmp(words[1], "probe")) return probe(count - 2, words + 2);
    fputs("usage: see the head of handshakes.c\n", stderr);
    return 2;
}
