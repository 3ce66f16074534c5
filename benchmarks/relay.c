/* A wire of some length, in user space: every ADDRESS:PORT is answered from the same port of another address, each byte late.
 *
 *   relay DELAY_MS < LINES   takes lines `ADDRESS:PORT ADDRESS:PORT` (here, there) and one that is empty, prints "ready", and serves
 *                            until its standard input ends; then prints its CPU seconds and the number of its connections
 *
 * What arrives is sent on DELAY_MS later, in either direction, so a round trip takes twice that. The kernel completes a connection here
 * at once, where a real one takes a round trip before its client may send: so all that the client sends before it was sent anything is
 * one round trip later still, and so is the connection to the server, which begins to speak when it is connected.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <netinet/tcp.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 512, PIECE = 65536, IN_USE = 1 << 27 };

struct wire;

/* One end: what it receives goes to the other end of its wire. Listeners and the standard input are ends, too. It is over when nothing
 * more comes from it, and shut when nothing more is sent to it. */
struct end {
    int socket, is_listener, is_input, is_connecting, is_closed, is_over, is_shut;
    struct sockaddr_in there;
    struct end *other;
    struct wire *wire;
    struct piece *first, *last; /* to be sent on this end now, the earliest first */
    double latest;              /* when the last of what is under way to this end is due */
    unsigned watched;
};

struct wire {
    struct end client, server;
    int has_answered, pending;
};

enum { END_OF_FILE = 0, CONNECT = -1 };

/* Bytes for an end, its end of file, or the order to connect it, due at a moment. */
struct piece {
    struct end *to;
    double due;
    long number;
    ssize_t length, begun;
    struct piece *next;
    char bytes[];
};

/* The pieces under way, a heap: the earliest is the first. */
static struct piece **heap;
static size_t heap_size, heap_room;
static long pieces;
static int poll_fd;
static double delay_s;
static long connections;

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec / 1e9;
}

static void fail(const char *what) {
    perror(what);
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

static void watch(struct end *end, unsigned events) {
    if (end->is_closed || end->watched == (events | IN_USE)) return;
    struct epoll_event event = {.events = events & ~IN_USE, .data.ptr = end};
    if (epoll_ctl(poll_fd, end->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, end->socket, &event)) fail("epoll_ctl");
    end->watched = events | IN_USE;
}

static int is_before(const struct piece *piece, const struct piece *other) {
    return piece->due < other->due || (piece->due == other->due && piece->number < other->number);
}

static void push(struct piece *piece) {
    if (heap_size == heap_room) heap = realloc(heap, (heap_room = heap_room ? 2 * heap_room : 1024) * sizeof *heap);
    size_t place = heap_size++;
    for (; place && is_before(piece, heap[(place - 1) / 2]); place = (place - 1) / 2) heap[place] = heap[(place - 1) / 2];
    heap[place] = piece;
}

static struct piece *pop(void) {
    struct piece *first = heap[0], *last = heap[--heap_size];
    size_t place = 0;
    for (size_t child; (child = 2 * place + 1) < heap_size; place = child) {
        if (child + 1 < heap_size && is_before(heap[child + 1], heap[child])) child++;
        if (!is_before(heap[child], last)) break;
        heap[place] = heap[child];
    }
    heap[place] = last;
    return first;
}

static void schedule(struct end *to, const char *bytes, ssize_t length, int is_late) {
    struct piece *piece = malloc(sizeof *piece + (length > 0 ? length : 0));
    double due = now() + delay_s * (is_late ? 3 : 1);
    to->latest = due > to->latest ? due : to->latest;
    *piece = (struct piece){.to = to, .due = to->latest, .number = pieces++, .length = length};
    if (length > 0) memcpy(piece->bytes, bytes, length);
    to->wire->pending++;
    push(piece);
}

static void drop_pieces(struct end *end) {
    while (end->first) {
        struct piece *piece = end->first;
        end->first = piece->next;
        free(piece);
    }
}

static void close_end(struct end *end) {
    if (!end->is_closed && end->socket >= 0) close(end->socket);
    if (!end->is_over && !end->other->is_shut) schedule(end->other, NULL, END_OF_FILE, 0);
    end->is_closed = end->is_over = end->is_shut = 1;
    drop_pieces(end);
}

static void free_if_over(struct wire *wire) {
    struct end *ends[] = {&wire->client, &wire->server};
    for (int number = 0; number < 2; number++)
        if (!ends[number]->is_over || !ends[number]->is_shut) return;
    if (wire->pending) return;
    close_end(&wire->client);
    close_end(&wire->server);
    free(wire);
}

static void flush(struct end *end) {
    while (end->first) {
        struct piece *piece = end->first;
        if (piece->length == END_OF_FILE) {
            shutdown(end->socket, SHUT_WR);
            end->is_shut = 1;
        } else {
            ssize_t count = send(end->socket, piece->bytes + piece->begun, piece->length - piece->begun, MSG_NOSIGNAL);
            if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
                watch(end, (end->is_over ? 0 : EPOLLIN) | EPOLLOUT);
                return;
            }
            if (count < 0) {
                close_end(end);
                return;
            }
            if ((piece->begun += count) < piece->length) continue;
        }
        end->first = piece->next;
        free(piece);
    }
    watch(end, end->is_over ? 0 : EPOLLIN);
}

static void connect_server(struct end *server) {
    server->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int yes = 1;
    setsockopt(server->socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(server->socket, (struct sockaddr *)&server->there, sizeof server->there) && errno != EINPROGRESS) {
        close_end(server);
        return;
    }
    server->is_connecting = 1;
    watch(server, EPOLLOUT);
}

static void deliver(struct piece *piece) {
    struct end *to = piece->to;
    struct wire *wire = to->wire;
    wire->pending--;
    piece->next = NULL;
    if (piece->length == CONNECT) {
        free(piece);
        if (!to->other->is_closed) connect_server(to);
        else close_end(to);
    } else if (to->is_closed) {
        free(piece);
    } else {
        if (to == &wire->client) wire->has_answered = 1;
        if (to->first) to->last->next = piece;
        else to->first = piece;
        to->last = piece;
        if (to->socket >= 0 && !to->is_connecting && to->first == piece) flush(to);
    }
    free_if_over(wire);
}

static void take_connections(struct end *listener) {
    int socket, yes = 1;
    while ((socket = accept4(listener->socket, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        struct wire *wire = calloc(1, sizeof *wire);
        wire->client = (struct end){.socket = socket, .other = &wire->server, .wire = wire};
        wire->server = (struct end){.socket = -1, .other = &wire->client, .wire = wire, .there = listener->there};
        watch(&wire->client, EPOLLIN);
        schedule(&wire->server, NULL, CONNECT, 1);
        connections++;
    }
}

static void receive(struct end *end) {
    char buffer[PIECE];
    ssize_t count = recv(end->socket, buffer, sizeof buffer, 0);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    struct wire *wire = end->wire;
    if (count < 0) {
        close_end(end);
        return;
    }
    schedule(end->other, buffer, count, end == &wire->client && !wire->has_answered);
    if (count == 0) {
        end->is_over = 1;
        watch(end, end->first ? EPOLLOUT : 0);
    }
}

static void serve_event(struct end *end, unsigned events) {
    if (end->is_closed) return;
    if (end->is_listener) {
        take_connections(end);
        return;
    }
    if (end->is_connecting) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(end->socket, SOL_SOCKET, SO_ERROR, &error, &size);
        end->is_connecting = 0;
        if (error) close_end(end);
        else flush(end);
    } else if (end->is_over && events & (EPOLLHUP | EPOLLERR)) {
        close_end(end);
    } else {
        if (events & EPOLLOUT) flush(end);
        if (!end->is_over && events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(end);
    }
}

static void listen_at(const char *here, const char *there) {
    struct sockaddr_in address = parse(here);
    int yes = 1;
    struct end *listener = calloc(1, sizeof *listener);
    *listener = (struct end){.socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), .is_listener = 1, .there = parse(there)};
    setsockopt(listener->socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener->socket, (struct sockaddr *)&address, sizeof address) || listen(listener->socket, 1024)) fail(here);
    watch(listener, EPOLLIN);
}

static double next_wait_s(void) {
    double wait_s = heap_size ? heap[0]->due - now() : 3600;
    return wait_s > 0 ? wait_s : 0;
}

int main(int count, char **words) {
    if (count != 2) {
        fputs("usage: see the head of relay.c\n", stderr);
        return 2;
    }
    delay_s = atof(words[1]) / 1000;
    poll_fd = epoll_create1(0);
    char line[256], here[128], there[128];
    while (fgets(line, sizeof line, stdin) && sscanf(line, "%127s %127s", here, there) == 2) listen_at(here, there);
    static struct end input = {.socket = 0, .is_input = 1};
    watch(&input, EPOLLIN);
    puts("ready");
    fflush(stdout);
    struct epoll_event events[EVENTS];
    for (;;) {
        double wait_s = next_wait_s();
        struct timespec wait = {.tv_sec = (time_t)wait_s, .tv_nsec = (long)((wait_s - (time_t)wait_s) * 1e9)};
        int ready = epoll_pwait2(poll_fd, events, EVENTS, &wait, NULL);
        for (int number = 0; number < ready; number++) {
            struct end *end = events[number].data.ptr;
            if (end->is_input) {
                struct rusage usage;
                getrusage(RUSAGE_SELF, &usage);
                printf("%f %ld\n",
                       usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
                       connections);
                return 0;
            }
            serve_event(end, events[number].events);
        }
        while (heap_size && heap[0]->due <= now()) deliver(pop());
    }
}
