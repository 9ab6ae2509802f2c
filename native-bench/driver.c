/*
 * driver — a crowd of zombies in one C process: runs dialogues against a loopback port and checks every reply
 *
 * Each dialogue comes from its own 127.x.y.z and is: greeting, EHLO, MAIL, RCPT (refused), QUIT, end of stream.
 * The next command leaves only after the last line of the reply before it. Codes must be 220 250 250 550 221;
 * with --replies every byte of the stream must equal that file, and nothing may follow. In C so that it takes
 * less of the machine than the servers it measures. Only 127.0.0.0/8 is ever spoken to.
 *
 * usage: driver --port P [--host 127.0.0.1] --dialogues N [--concurrency C] [--ramp-ms R] [--first-source I]
 *               [--replies FILE] [--helo NAME] [--sender ADDRESS] [--recipient ADDRESS] [--stall-ms T]
 *        driver --port P --hold N …       greeting and EHLO only, then "held N"; a line on stdin lets go
 *
 * Prints one JSON object; exit 0 when every dialogue was good, 1 when one failed, 2 for wrong usage.
 * --ramp-ms spreads the first C connections, so that the crowd does not breathe in step. --first-source counts
 * source addresses: two runs do not share a client as long as their ranges do not overlap (16.6 million in all).
 * Times are from before a command's write to the read of its reply's last line; the greeting is timed apart.
 */
#define PROGRAM "driver"
#include "common.h"
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DIALOGUES_MAX = 5000000, COMPLAINTS_MAX = 5, STEPS = 5, AFTER_QUIT = 5, COMMANDS = 4, COMMAND_BYTES = 600 };
enum { SOURCES = 254 * 65536, SOURCE_STRIDE = 10619863 }; /* coprime: walks through all of 127.1.0.0 to 127.254.255.255 */

static const int wanted[STEPS] = { 220, 250, 250, 550, 221 };

/* One row per file descriptor. */
struct dialogue {
    uint64_t asked_ns;
    uint32_t got, column; /* bytes received so far; place in the reply line that is being read */
    uint16_t code;
    uint8_t step;         /* which reply is awaited; AFTER_QUIT: the end of the stream */
    uint8_t more;         /* this line has '-' behind its code */
    uint8_t open, held;
};

static char commands[COMMANDS][COMMAND_BYTES];
static char replies[REPLIES_BYTES_MAX + 1];
static size_t command_lengths[COMMANDS], replies_length;
static struct dialogue *dialogues;
static uint32_t *times, *greetings; /* in 100 ns */
static size_t times_count, greetings_count;
static struct sockaddr_in target;
static int dialogues_max, epoll_fd, holding;
static long total, started, ok, failed, in_flight, held;
static uint64_t first_source, bytes, reads;

static uint32_t units(uint64_t ns)
{
    return ns / 100 > UINT32_MAX ? UINT32_MAX : (uint32_t)(ns / 100);
}

/* Ends one dialogue as failed and says why, for the first few. */
__attribute__((format(printf, 2, 3))) static void fail(int fd, const char *why, ...)
{
    if (failed++ < COMPLAINTS_MAX) {
        va_list words;
        va_start(words, why);
        fputs("driver: ", stderr);
        vfprintf(stderr, why, words);
        fputc('\n', stderr);
        va_end(words);
    }
    if (fd < 0) return;
    if (dialogues[fd].open) in_flight--;
    dialogues[fd].open = 0;
    close(fd);
}

static void start(void)
{
    uint64_t source = ((first_source + (uint64_t)started++) % SOURCES) * SOURCE_STRIDE % SOURCES;
    struct sockaddr_in from = { .sin_family = AF_INET };
    from.sin_addr.s_addr = htonl(0x7f010000u + (uint32_t)source);
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || fd >= dialogues_max) {
        fail(-1, "socket: %s", strerror(errno));
        if (fd >= 0) close(fd);
        return;
    }
    dialogues[fd] = (struct dialogue){ .asked_ns = now_ns() };
    /* Without a port at bind, the kernel chooses one at connect for this pair of addresses: ports do not run out. */
    if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) != 0 ||
        bind(fd, (struct sockaddr *)&from, sizeof from) != 0 ||
        (connect(fd, (struct sockaddr *)&target, sizeof target) != 0 && errno != EINPROGRESS)) {
        fail(fd, "connect: %s", strerror(errno));
        return;
    }
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
    dialogues[fd].open = 1;
    in_flight++;
}

static void ask(int fd, int command)
{
    dialogues[fd].asked_ns = now_ns();
    size_t length = command_lengths[command];
    if (send(fd, commands[command], length, MSG_NOSIGNAL) != (ssize_t)length)
        fail(fd, "%.4s: %s", commands[command], strerror(errno));
}

/* A whole reply has been read: check its code, keep its time, send the next command. */
static void replied(int fd)
{
    struct dialogue *one = &dialogues[fd];
    if (one->code != wanted[one->step]) {
        fail(fd, "reply %d: got %d, want %d", one->step, one->code, wanted[one->step]);
        return;
    }
    uint32_t time = units(now_ns() - one->asked_ns);
    if (one->step == 0) greetings[greetings_count++] = time;
    else times[times_count++] = time;
    one->code = 0;
    one->step++;
    if (holding && one->step == 2) {
        one->held = 1;
        one->open = 0;
        in_flight--;
        held++;
    } else if (one->step < AFTER_QUIT) {
        ask(fd, one->step - 1);
    }
}

static void receive(int fd)
{
    struct dialogue *one = &dialogues[fd];
    char data[4096];
    ssize_t length = recv(fd, data, sizeof data, 0);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (one->held) { /* let go by the server: no longer held */
        held--;
        fail(fd, "a held session was %s", length > 0 ? "spoken to" : "closed");
        return;
    }
    if (length < 0 || (length == 0 && one->step != AFTER_QUIT)) {
        fail(fd, "reply %d: %s", one->step, length < 0 ? strerror(errno) : "the stream ended before it");
        return;
    }
    if (length == 0) {
        one->open = 0;
        in_flight--;
        ok++;
        close(fd);
        return;
    }
    reads++;
    bytes += (uint64_t)length;
    if (replies_length > 0 &&
        (one->got + (size_t)length > replies_length || memcmp(replies + one->got, data, (size_t)length) != 0)) {
        fail(fd, "reply %d: bytes differ from the file of replies: %.*s", one->step, (int)length, data);
        return;
    }
    one->got += (uint32_t)length;
    for (ssize_t i = 0; i < length; i++) {
        uint32_t column = one->column++;
        if (one->step == AFTER_QUIT) {
            fail(fd, "bytes after the reply to QUIT");
            return;
        }
        if (column < 3) {
            if (data[i] < '0' || data[i] > '9') {
                fail(fd, "reply %d: not an SMTP reply: %.*s", one->step, (int)length, data);
                return;
            }
            one->code = (uint16_t)((column == 0 ? 0 : one->code * 10) + (data[i] - '0'));
        } else if (column == 3) {
            one->more = data[i] == '-';
        }
        if (data[i] != '\n') continue;
        one->column = 0;
        if (one->more) continue;
        if (i + 1 < length) {
            fail(fd, "bytes after reply %d, before the next command", one->step);
            return;
        }
        replied(fd);
    }
}

static int by_size(const void *a, const void *b)
{
    return (*(const uint32_t *)a > *(const uint32_t *)b) - (*(const uint32_t *)a < *(const uint32_t *)b);
}

/* A quantile of a sorted list, in ms. */
static double quantile_ms(const uint32_t *list, size_t count, double share)
{
    return count == 0 ? 0 : list[(size_t)((double)(count - 1) * share)] / 10000.0;
}

static void command(int at, const char *form, const char *word)
{
    int length = snprintf(commands[at], COMMAND_BYTES, form, word);
    if (length < 0 || length >= COMMAND_BYTES) refuse("a name or address is too long");
    command_lengths[at] = (size_t)length;
}

/* Runs until nothing is in flight and nothing is left to start; a crowd that stands still for stall_ms is given up. */
static void run(long concurrency, long ramp_ms, long stall_ms)
{
    uint64_t begin = now_ns(), moved_ns = begin;
    while (started < total || in_flight > 0) {
        uint64_t now = now_ns(), ramp_ns = (uint64_t)ramp_ms * 1000000u;
        int ramping = now - begin < ramp_ns && started < concurrency && started < total;
        long allowed = ramping ? 1 + (long)((uint64_t)concurrency * (now - begin) / ramp_ns) : concurrency;
        while (started < total && in_flight < allowed) start();
        struct epoll_event events[EVENTS_MAX];
        int ready = epoll_wait(epoll_fd, events, EVENTS_MAX, ramping ? 1 : 100);
        if (ready < 0 && errno != EINTR) die("epoll_wait");
        for (int i = 0; i < ready; i++) receive(events[i].data.fd);
        if (ready > 0) moved_ns = now_ns();
        else if (now_ns() - moved_ns > (uint64_t)stall_ms * 1000000u) {
            fprintf(stderr, "driver: nothing moved for %ld ms; %ld dialogues given up\n", stall_ms,
                in_flight + total - started);
            failed += in_flight + total - started;
            return;
        }
    }
}

int main(int count, char **words)
{
    static const struct option options[] = { { "port", 1, 0, 'p' }, { "host", 1, 0, 'h' }, { "dialogues", 1, 0, 'n' },
        { "hold", 1, 0, 'H' }, { "concurrency", 1, 0, 'c' }, { "ramp-ms", 1, 0, 'r' }, { "first-source", 1, 0, 'f' },
        { "replies", 1, 0, 'R' }, { "helo", 1, 0, 'e' }, { "sender", 1, 0, 's' }, { "recipient", 1, 0, 't' },
        { "stall-ms", 1, 0, 'T' }, { 0, 0, 0, 0 } };
    const char *host = "127.0.0.1", *helo = "zombie.example", *sender = "zombie@zombie.example";
    const char *recipient = "unknown@example.net";
    long port = 0, concurrency = 500, ramp_ms = 0, stall_ms = 30000;
    for (int option; (option = getopt_long(count, words, "", options, NULL)) != -1;) {
        switch (option) {
        case 'p': port = number(optarg, 1, 65535, "--port"); break;
        case 'h': host = optarg; break;
        case 'n': total = number(optarg, 1, DIALOGUES_MAX, "--dialogues"); break;
        case 'H': total = number(optarg, 1, FDS_MAX, "--hold"); holding = 1; break;
        case 'c': concurrency = number(optarg, 1, FDS_MAX, "--concurrency"); break;
        case 'r': ramp_ms = number(optarg, 0, 600000, "--ramp-ms"); break;
        case 'f': first_source = (uint64_t)number(optarg, 0, SOURCES - 1, "--first-source"); break;
        case 'R': replies_length = load_file(optarg, replies); break;
        case 'e': helo = optarg; break;
        case 's': sender = optarg; break;
        case 't': recipient = optarg; break;
        case 'T': stall_ms = number(optarg, 1, 600000, "--stall-ms"); break;
        default: return 2;
        }
    }
    if (optind != count || port == 0 || total == 0) refuse("--port and one of --dialogues, --hold are needed");
    target = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    if (inet_pton(AF_INET, host, &target.sin_addr) != 1 || ntohl(target.sin_addr.s_addr) >> 24 != 127)
        refuse("--host must be an address in 127.0.0.0/8: this program speaks to its own machine only");
    command(0, "EHLO %s\r\n", helo);
    command(1, "MAIL FROM:<%s>\r\n", sender);
    command(2, "RCPT TO:<%s>\r\n", recipient);
    command(3, "QUIT%s\r\n", "");

    dialogues_max = raise_fd_limit();
    if ((holding ? total : concurrency) > dialogues_max - 16) refuse("the limit of open files is too low (ulimit -n)");
    dialogues = calloc((size_t)dialogues_max, sizeof *dialogues);
    times = calloc((size_t)total * COMMANDS, sizeof *times);
    greetings = calloc((size_t)total, sizeof *greetings);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (dialogues == NULL || times == NULL || greetings == NULL || epoll_fd < 0) die("start");

    uint64_t begin = now_ns();
    run(concurrency, ramp_ms, stall_ms);
    double seconds = (double)(now_ns() - begin) / 1e9;
    if (holding) {
        printf("held %ld\n", held);
        fflush(stdout);
        for (int byte = getchar(); byte != '\n' && byte != EOF;) byte = getchar();
        /* whatever the server said or closed meanwhile shows now; 0: do not wait for more */
        struct epoll_event events[EVENTS_MAX];
        for (int ready; (ready = epoll_wait(epoll_fd, events, EVENTS_MAX, 0)) > 0;)
            for (int i = 0; i < ready; i++) receive(events[i].data.fd);
        ok = held;
    }
    qsort(times, times_count, sizeof *times, by_size);
    qsort(greetings, greetings_count, sizeof *greetings, by_size);
    printf("{\"dialogues\":%ld,\"ok\":%ld,\"failed\":%ld,\"seconds\":%.3f,\"bytes\":%llu,\"reads\":%llu,"
           "\"replyP50Ms\":%.4f,\"replyP99Ms\":%.4f,\"replyMaxMs\":%.4f,"
           "\"greetingMinMs\":%.4f,\"greetingP50Ms\":%.4f,\"greetingP99Ms\":%.4f}\n",
        total, ok, failed, seconds, (unsigned long long)bytes, (unsigned long long)reads,
        quantile_ms(times, times_count, 0.5), quantile_ms(times, times_count, 0.99), quantile_ms(times, times_count, 1),
        quantile_ms(greetings, greetings_count, 0), quantile_ms(greetings, greetings_count, 0.5),
        quantile_ms(greetings, greetings_count, 0.99));
    for (int fd = 0; fd < dialogues_max; fd++)
        if (dialogues[fd].open || dialogues[fd].held) close(fd);
    free(dialogues);
    free(times);
    free(greetings);
    return failed == 0 && ok == total ? 0 : 1;
}
