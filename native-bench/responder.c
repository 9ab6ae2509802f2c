/*
 * responder — the least that a zombie dialogue can cost: bare C and epoll
 *
 * One thread answers SMTP commands from a file of finished replies, in the same writes as Sluice: the lines of
 * the greeting that end in "220-" at accept, its last line after the wait, then one write a reply. A command is
 * known by its first letter; nothing is stored, checked or logged. What Sluice costs above this is Sluice's own.
 *
 * usage: responder PORT WAIT_MS REPLIES      PORT 0 takes a free one; listens on 127.0.0.1 only
 *
 * REPLIES holds what a server says in one whole dialogue, as captured from a live one: five replies (greeting,
 * EHLO, MAIL, RCPT, QUIT), of one or more lines each. A greeting of one line goes out at accept, without a wait.
 * Prints "ready PORT" when it listens; SIGTERM or SIGINT ends it with one line of counts.
 *
 * The wait is the same for everybody, so a FIFO is a whole timer queue: the oldest greeting is always the next.
 * Level-triggered epoll with one recv an event: reading on until EAGAIN would add a system call to each command.
 */
#define PROGRAM "responder"
#include "common.h"
#include <netinet/in.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096, WAIT_MS_MAX = 600000 };
enum { GREETING, EHLO, MAIL, RCPT, QUIT, REPLIES };
enum { CLOSED, WAITING, TALKING };

struct reply { const char *bytes; size_t length; };

/* One row per file descriptor; prev and next link the sessions that wait for the end of their greeting. */
struct session {
    uint64_t due_ns;
    int prev, next;
    uint8_t phase;
    char letter; /* the first letter of the line that is being read; 0 at the start of a line */
};

static char replies_bytes[REPLIES_BYTES_MAX + 1];
static struct reply replies[REPLIES], greeting_start, greeting_end;
static const struct reply unknown = { "502 5.5.2 Unknown command\r\n", 27 };
static struct session *sessions;
static int sessions_max, epoll_fd, oldest = -1, newest = -1;
static uint64_t wait_ns, accepted, finished, early, left, failed;

/* Length of the reply at `at`: lines up to and with the one that has no '-' behind its code; 0 if there is none.
   `last` gets the start of that final line. */
static size_t reply_length(size_t at, size_t total, size_t *last)
{
    for (size_t line = at; line < total;) {
        const char *feed = memchr(replies_bytes + line, '\n', total - line);
        if (feed == NULL) return 0;
        size_t next = (size_t)(feed - replies_bytes) + 1;
        if (next - line < 5) return 0; /* three digits, CR, LF */
        if (replies_bytes[line + 3] != '-') {
            *last = line;
            return next - at;
        }
        line = next;
    }
    return 0;
}

static void load_replies(const char *path)
{
    size_t total = load_file(path, replies_bytes);
    size_t at = 0, last = 0;
    for (int i = 0; i < REPLIES; i++) {
        size_t length = reply_length(at, total, &last);
        if (length == 0) refuse("the file of replies must hold five complete SMTP replies");
        replies[i] = (struct reply){ replies_bytes + at, length };
        if (i == GREETING) {
            greeting_start = last > at ? (struct reply){ replies_bytes + at, last - at } : replies[i];
            greeting_end = (struct reply){ replies_bytes + last, at + length - last };
        }
        at += length;
    }
    if (at != total) refuse("the file of replies holds more than five replies");
}

static void queue_push(int fd)
{
    sessions[fd].prev = newest;
    sessions[fd].next = -1;
    if (newest >= 0) sessions[newest].next = fd;
    else oldest = fd;
    newest = fd;
}

static void queue_remove(int fd)
{
    int prev = sessions[fd].prev, next = sessions[fd].next;
    if (prev >= 0) sessions[prev].next = next;
    else oldest = next;
    if (next >= 0) sessions[next].prev = prev;
    else newest = prev;
}

static void end(int fd, uint64_t *counter)
{
    if (sessions[fd].phase == WAITING) queue_remove(fd);
    sessions[fd].phase = CLOSED;
    close(fd);
    ++*counter;
}

/* One reply in one write. A reply that the kernel does not take whole ends the session: 0. */
static int say(int fd, struct reply reply)
{
    if (send(fd, reply.bytes, reply.length, MSG_NOSIGNAL) == (ssize_t)reply.length) return 1;
    end(fd, &failed);
    return 0;
}

static void accept_all(int listener)
{
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EINTR || errno == ECONNABORTED) continue;
            if (errno == EAGAIN) return;
            die("accept4");
        }
        accepted++;
        if (fd >= sessions_max) {
            close(fd);
            failed++;
            continue;
        }
        struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
        sessions[fd] = (struct session){ .phase = TALKING, .prev = -1, .next = -1 };
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
        if (greeting_start.length < replies[GREETING].length) {
            sessions[fd].phase = WAITING;
            sessions[fd].due_ns = now_ns() + wait_ns;
            queue_push(fd);
        }
        say(fd, greeting_start);
    }
}

static void read_commands(int fd)
{
    char bytes[4096];
    ssize_t length = recv(fd, bytes, sizeof bytes, 0);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (length <= 0) {
        end(fd, &left);
        return;
    }
    if (sessions[fd].phase == WAITING) {
        end(fd, &early);
        return;
    }
    char letter = sessions[fd].letter;
    for (ssize_t i = 0; i < length; i++) {
        if (bytes[i] != '\n') {
            if (letter == 0) letter = bytes[i];
            continue;
        }
        switch (letter | 32) {
        case 'q':
            if (say(fd, replies[QUIT])) end(fd, &finished);
            return;
        case 'e':
            if (!say(fd, replies[EHLO])) return;
            break;
        case 'm':
            if (!say(fd, replies[MAIL])) return;
            break;
        case 'r':
            if (!say(fd, replies[RCPT])) return;
            break;
        default:
            if (!say(fd, unknown)) return;
        }
        letter = 0;
    }
    sessions[fd].letter = letter;
}

/* Ends the greetings that are due; returns how long epoll may sleep, in ms rounded up (never early), -1 for ever. */
static int finish_greetings(void)
{
    if (oldest < 0) return -1;
    uint64_t now = now_ns();
    while (oldest >= 0) {
        int fd = oldest;
        if (sessions[fd].due_ns > now) return (int)((sessions[fd].due_ns - now + 999999) / 1000000);
        queue_remove(fd);
        sessions[fd].phase = TALKING;
        say(fd, greeting_end);
    }
    return -1;
}

static int listen_on(long port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) die("socket");
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) die("bind");
    if (listen(fd, BACKLOG) != 0) die("listen");
    if (getsockname(fd, (struct sockaddr *)&address, &length) != 0) die("getsockname");
    printf("ready %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int count, char **words)
{
    if (count != 4) refuse("usage: responder PORT WAIT_MS REPLIES");
    long port = number(words[1], 0, 65535, "PORT");
    wait_ns = (uint64_t)number(words[2], 0, WAIT_MS_MAX, "WAIT_MS") * 1000000u;
    load_replies(words[3]);

    sessions_max = raise_fd_limit();
    sessions = calloc((size_t)sessions_max, sizeof *sessions);
    if (sessions == NULL) die("calloc");

    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) != 0) die("sigprocmask");
    int signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (signal_fd < 0 || epoll_fd < 0) die("epoll");
    int listener = listen_on(port);
    struct epoll_event event = { .events = EPOLLIN, .data.fd = listener };
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event) != 0) die("epoll_ctl");
    event.data.fd = signal_fd;
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, signal_fd, &event) != 0) die("epoll_ctl");

    for (int running = 1; running;) {
        struct epoll_event events[EVENTS_MAX];
        int ready = epoll_wait(epoll_fd, events, EVENTS_MAX, finish_greetings());
        if (ready < 0 && errno != EINTR) die("epoll_wait");
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) accept_all(listener);
            else if (fd == signal_fd) running = 0;
            else read_commands(fd);
        }
    }

    for (int fd = 0; fd < sessions_max; fd++)
        if (sessions[fd].phase != CLOSED) end(fd, &left);
    printf("accepted %llu finished %llu early %llu left %llu failed %llu\n", (unsigned long long)accepted,
        (unsigned long long)finished, (unsigned long long)early, (unsigned long long)left, (unsigned long long)failed);
    close(listener);
    close(signal_fd);
    close(epoll_fd);
    free(sessions);
    return 0;
}
