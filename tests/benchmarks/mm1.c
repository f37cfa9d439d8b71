/* A single queue written by hand: what the kernel is measured against.
 *
 * Does for one M/M/1 station what the kernel does for any plan: the same draws (Threefry4x32-20),
 * the same quantile table and look-up, the same order of events by (time, key), the same sums. Reads
 * binary int64 words from the file named on the command line: count, offset of the table's parts
 * (SIDE_LENGTH), purpose, four key words, 2 * SIDE_LENGTH table entries, count arrival times.
 * Prints seconds of the fastest of three loops, then busy area, queue area and longest queue.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint32_t rotate(uint32_t x, int by) { return (x << by) | (x >> (32 - by)); }

static int64_t draw62(const int64_t *key, uint64_t n, uint32_t purpose)
{
    static const int distance[8][2] = {{10, 26}, {11, 21}, {13, 27}, {23, 5},
                                       {6, 20},  {17, 11}, {25, 10}, {18, 20}};
    uint32_t k[5] = {(uint32_t)key[0], (uint32_t)key[1], (uint32_t)key[2], (uint32_t)key[3], 0};
    k[4] = 0x1BD11BDAu ^ k[0] ^ k[1] ^ k[2] ^ k[3];
    uint32_t a = (uint32_t)n + k[0], b = (uint32_t)(n >> 32) + k[1], c = purpose + k[2], d = k[3];
#pragma GCC unroll 20
    for (int round = 0; round < 20; round++) {
        const int *by = distance[round % 8];
        if (round % 2 == 0) {
            a += b; b = rotate(b, by[0]) ^ a;
            c += d; d = rotate(d, by[1]) ^ c;
        } else {
            a += d; d = rotate(d, by[0]) ^ a;
            c += b; b = rotate(b, by[1]) ^ c;
        }
        if (round % 4 == 3) {
            int at = round / 4 + 1;
            a += k[at % 5]; b += k[(at + 1) % 5];
            c += k[(at + 2) % 5]; d += k[(at + 3) % 5] + at;
        }
    }
    return ((int64_t)a << 30) | (b >> 2);
}

static int64_t quantile(const int64_t *table, int64_t side_length, int64_t u)
{
    int64_t side = u >> 61;
    int64_t v = u ^ (-side & ((1LL << 62) - 1));
    const int64_t *part = table + side * side_length;
    if (v < 1 << 21)
        return part[0];
    int octave = __builtin_clzll(v) - 3;
    v <<= octave;
    const int64_t *at = part + 1 + 39 * 64 - octave * 64 + ((v >> 54) & 63);
    int64_t fraction = ((v >> 29) & ((1 << 25) - 1)) | ((1LL << octave) >> 30) | (octave < 31);
    int64_t difference = at[1] - at[0];
    int64_t low = ((difference & 0xFFFF) * fraction + (1 << 24)) >> 16;
    return at[0] + (((difference >> 16) * fraction + low) >> 9);
}

struct sums { int64_t busy_area, queue_area, queue_max, end_us; };

static struct sums simulate(const int64_t *head, const int64_t *table, const int64_t *arrival)
{
    int64_t count = head[0], side_length = head[1];
    struct sums s = {0, 0, 0, 0};
    int64_t first = 0, next = 0, busy = 0, since = 0; /* in the queue: first .. next - 1 */
    int64_t finish_us = INT64_MAX, finish_key = 0;
    while (busy || next < count) {
        int64_t arrival_us = next < count ? arrival[next] : INT64_MAX;
        int64_t arrival_key = (4LL << 60) | (next << 20);
        int is_finish = finish_us < arrival_us || (finish_us == arrival_us && finish_key < arrival_key);
        int64_t now = is_finish ? finish_us : arrival_us;
        s.busy_area += busy * (now - since);
        s.queue_area += (next - first) * (now - since);
        since = now;
        if (is_finish) {
            busy = 0;
            finish_us = INT64_MAX;
        } else {
            next++;
        }
        if (!busy && first < next) {
            int64_t u = draw62(head + 3, (uint64_t)first, (uint32_t)head[2]);
            finish_us = now + quantile(table, side_length, u);
            finish_key = (2LL << 60) | (first << 20) | 1;
            busy = 1;
            first++;
        }
        if (next - first > s.queue_max)
            s.queue_max = next - first;
    }
    s.end_us = since;
    return s;
}

int main(int argc, char **argv)
{
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
    int64_t head[7];
    if (!file || fread(head, 8, 7, file) != 7)
        return 1;
    int64_t *table = malloc(16 * head[1]), *arrival = malloc(8 * head[0]);
    if (!table || !arrival || fread(table, 16, head[1], file) != (size_t)head[1]
        || fread(arrival, 8, head[0], file) != (size_t)head[0])
        return 1;
    double best = 1e9;
    struct sums s = {0, 0, 0, 0};
    for (int turn = 0; turn < 3; turn++) {
        struct timespec began, ended;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &began);
        s = simulate(head, table, arrival);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
        double took = ended.tv_sec - began.tv_sec + 1e-9 * (ended.tv_nsec - began.tv_nsec);
        if (took < best)
            best = took;
    }
    printf("%.9f %lld %lld %lld\n", best, (long long)s.busy_area, (long long)s.queue_area,
           (long long)s.queue_max);
    return 0;
}
