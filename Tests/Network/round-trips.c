/*
 * Sends datagrams to a port of this machine that leads to a guest's echo, waits for each to come back,
 * and compares every byte:
 *
 *     round-trips PORT COUNT [SECONDS]
 *     round-trips PORT end            tells the guest to end
 *
 * UDP may lose: what has no answer is sent again after a second, until SECONDS (300) have passed without
 * an answer to anything. Each datagram has its number in it, so that an answer which comes late, to one
 * that was sent twice, is compared as well, and is not taken for the next one's.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAYLOAD_MOST 1472u
#define PAYLOAD_LEAST 4u

static uint32_t count;

/* The datagram of a number; its length. The first four bytes are the number, never "end". */
static size_t make(uint32_t number, uint8_t *bytes)
{
    size_t length = PAYLOAD_LEAST + number * 397u % (PAYLOAD_MOST - PAYLOAD_LEAST + 1);
    uint64_t state = (number + 1) * 0x9e3779b97f4a7c15ull;

    for (size_t i = 4; i < length; i++) {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        bytes[i] = (uint8_t)(state >> 56);
    }
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(number >> 8 * (3 - i));
    return length;
}

static void pause_for(long milliseconds)
{
    struct timespec time = {.tv_nsec = milliseconds * 1000000};

    nanosleep(&time, 0);
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Takes an answer, if one comes within the time: its number, or a negative number. */
static int64_t take(int channel, int milliseconds)
{
    static uint8_t bytes[65536], wanted[PAYLOAD_MOST];
    struct pollfd waiting = {.fd = channel, .events = POLLIN};

    if (poll(&waiting, 1, milliseconds) <= 0)
        return -1;
    ssize_t length = recv(channel, bytes, sizeof(bytes), 0);
    if (length < 0)
        return -1; /* the guest's port is not open yet, or no more */
    uint32_t number = length < 4 ? count
                                 : (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
                                       (uint32_t)bytes[2] << 8 | bytes[3];
    if (number >= count || make(number, wanted) != (size_t)length ||
        memcmp(bytes, wanted, (size_t)length)) {
        fprintf(stderr, "round-trips: an answer of %zd bytes is not what was sent\n", length);
        exit(1);
    }
    return number;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: round-trips PORT COUNT|end [SECONDS]\n");
        return 2;
    }
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    count = (uint32_t)strtoul(argv[2], 0, 10);
    double patience = argc > 3 ? atof(argv[3]) : 300;
    int channel = socket(AF_INET, SOCK_DGRAM, 0);
    if (channel < 0 || connect(channel, (struct sockaddr *)&address, sizeof(address))) {
        perror("round-trips");
        return 1;
    }
    if (!strcmp(argv[2], "end")) {
        /* More than once, since one may be lost; what comes back is of no interest. */
        for (int i = 0; i < 5; i++, pause_for(100))
            send(channel, "end", 3, 0);
        return 0;
    }
    uint64_t again = 0, late = 0, total = 0;
    double began = now(), last = began, longest = 0;
    for (uint32_t number = 0; number < count; number++) {
        uint8_t bytes[PAYLOAD_MOST];
        size_t length = make(number, bytes);
        bool is_answered = false;
        for (unsigned int tries = 0; !is_answered; tries++) {
            if (now() - last > patience) {
                fprintf(stderr, "round-trips: no answer to number %u for %.0f s\n", number, patience);
                return 1;
            }
            again += tries > 0;
            send(channel, bytes, length, 0);
            double deadline = now() + 1;
            while (!is_answered && now() < deadline) {
                int64_t answered = take(channel, (int)((deadline - now()) * 1000) + 1);
                if (answered < 0)
                    pause_for(1);
                is_answered = answered == (int64_t)number;
                late += answered >= 0 && !is_answered;
            }
        }
        if (now() - last > longest)
            longest = now() - last;
        last = now();
        total += length;
    }
    printf("%u round trips, %llu bytes each way, every byte as sent; %llu sent again, %llu answers late; "
           "%.1f s, the longest %.3f s\n",
           count, (unsigned long long)total, (unsigned long long)again, (unsigned long long)late,
           now() - began, longest);
    close(channel);
    return 0;
}
