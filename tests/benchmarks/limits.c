// Passes over arrays of float32, by some threads: what the memory of a machine takes at least.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

enum { READ_ONE, READ_TWO, WRITE, PASSES };
enum { USED, FRESH, HUGE_PAGES, MEMORIES };

typedef struct {
    const float *a, *b;
    float *result;
    long n;
    int pass;
    float sum;
} part;

static double milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static void *work(void *given) {
    part *p = given;
    const float *restrict a = p->a, *restrict b = p->b;
    float *restrict result = p->result, sum = 0;
    if (p->pass == READ_ONE)
        for (long i = 0; i < p->n; i++) sum += a[i];
    if (p->pass == READ_TWO)
        for (long i = 0; i < p->n; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
    if (p->pass == WRITE)
        for (long i = 0; i < p->n; i++) result[i] = a[i] - b[i];
    p->sum = sum;
    return 0;
}

static void run(int threads, int pass, const float *a, const float *b, float *result, long n) {
    pthread_t ids[threads];
    part parts[threads];
    for (int k = 0; k < threads; k++) {
        long first = n * k / threads, last = n * (k + 1) / threads;
        parts[k] = (part){a + first, b + first, result ? result + first : 0, last - first, pass, 0};
        pthread_create(ids + k, 0, work, parts + k);
    }
    for (int k = 0; k < threads; k++) pthread_join(ids[k], 0);
}

// limits N THREADS ROUNDS: a line for each pass, its number and the least milliseconds.
int main(int count, char **words) {
    if (count != 4) return 2;
    long n = atol(words[1]);
    int threads = atoi(words[2]), rounds = atoi(words[3]);
    size_t bytes = n * sizeof(float);
    float *a = malloc(bytes), *b = malloc(bytes), *used = malloc(bytes);
    if (!a || !b || !used || n < 1 || threads < 1) return 2;
    for (long i = 0; i < n; i++) a[i] = i % 7, b[i] = i % 5, used[i] = 0;
    for (int pass = 0; pass < PASSES; pass++)
        for (int memory = 0; memory < (pass == WRITE ? MEMORIES : 1); memory++) {
            double least = 1e9;
            for (int k = 0; k < rounds; k++) {
                double start = milliseconds();
                float *result = used;
                if (memory != USED) {
                    result = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                    if (result == MAP_FAILED) return 1;
#ifdef MADV_HUGEPAGE
                    if (memory == HUGE_PAGES) madvise(result, bytes, MADV_HUGEPAGE);
#endif
                }
                run(threads, pass, a, b, result, n);
                if (memory != USED) munmap(result, bytes);
                double took = milliseconds() - start;
                least = took < least ? took : least;
            }
            printf("%d %d %.4f\n", pass, memory, least);
        }
    return 0;
}
