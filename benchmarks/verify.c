/* Verify each leaf against one root, as a program in C would: parse, build, verify, match the name. Prints CPU seconds.
   Usage: verify ROOT.der ISSUING.der LEAVES SECONDS, where LEAVES holds the leaves in DER one after the other. */
#include <openssl/bio.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static X509 *read_certificate(const char *path)
{
    BIO *file = BIO_new_file(path, "rb");
    X509 *certificate = file ? d2i_X509_bio(file, NULL) : NULL;

    BIO_free(file);
    if (certificate == NULL)
        exit(2);
    return certificate;
}

int main(int count, char **arguments)
{
    long verified = 0;
    char name[64];
    unsigned char *der = NULL;
    int length;
    X509 *leaf, *issuing;
    BIO *leaves;
    X509_STORE *store = X509_STORE_new();
    clock_t started = clock();

    if (count != 5)
        return 2;
    X509_STORE_add_cert(store, read_certificate(arguments[1]));
    issuing = read_certificate(arguments[2]);
    length = i2d_X509(issuing, &der);
    leaves = BIO_new_file(arguments[3], "rb");
    while ((leaf = d2i_X509_bio(leaves, NULL)) != NULL) {
        const unsigned char *position = der;
        X509 *above = d2i_X509(NULL, &position, length);
        STACK_OF(X509) *presented = sk_X509_new_null();
        X509_STORE_CTX *context = X509_STORE_CTX_new();

        sk_X509_push(presented, above);
        X509_STORE_CTX_init(context, store, leaf, presented);
        X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER);
        X509_STORE_CTX_set_time(context, 0, (time_t)atoll(arguments[4]));
        snprintf(name, sizeof name, "node%ld.bench", verified);
        if (X509_verify_cert(context) != 1 || X509_check_host(leaf, name, 0, 0, NULL) != 1)
            return 1;
        verified++;
        X509_STORE_CTX_free(context);
        sk_X509_free(presented);
        X509_free(above);
        X509_free(leaf);
    }
    printf("%ld %.6f\n", verified, (double)(clock() - started) / CLOCKS_PER_SEC);
    return 0;
}
