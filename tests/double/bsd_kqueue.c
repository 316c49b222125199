/* kqueue(2) and kevent(2) over epoll(7). A queue is an epoll with three members: an epoll for each of EVFILT_READ and
 * EVFILT_WRITE, whose filters are then apart as in the kernels, and an eventfd for EVFILT_USER. */
#include "bsd.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

struct kevent {
  uintptr_t ident;
  int16_t filter;
  uint16_t flags;
  uint32_t fflags;
  int64_t data;
  uint64_t udata;
#if FREEBSD
  uint64_t ext[4];
#endif
};

enum { READ, WRITE, USER };
#define EVFILT_USER MACOS_OR_FREEBSD(-10, -11)
#define EV_ADD 0x1
#define EV_DELETE 0x2
#define EV_CLEAR 0x20
#define EV_ERROR 0x4000
#define EV_EOF 0x8000
#define NOTE_TRIGGER 0x1000000

/* Fewer events than asked for: as many of each filter come at a time. */
#define MOST_AT_ONCE 48
#define MAX_QUEUES 256

static struct queue {
  int fd, members[3];
  uint64_t user_udata;
  uint64_t *udata[2];
} queues[MAX_QUEUES];
static int queue_count;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static int member(int outer, int fd) {
  struct epoll_event event = { EPOLLIN, { .fd = fd } };
  syscall(SYS_epoll_ctl, outer, EPOLL_CTL_ADD, fd, &event);
  return fd;
}

int bsd_kqueue(void) EXPORTED("kqueue");
int bsd_kqueue(void) {
  pthread_mutex_lock(&mutex);
  int at = 0;
  while (at < queue_count && queues[at].fd != -1) at++;
  struct queue *queue = at < MAX_QUEUES ? &queues[at] : NULL;
  int fd = queue == NULL ? fail(EMFILE) : checked(syscall(SYS_epoll_create1, EPOLL_CLOEXEC));
  if (fd != -1) {
    queue->fd = fd;
    queue->user_udata = 0;
    for (int which = READ; which <= WRITE; which++) {
      queue->members[which] = member(fd, syscall(SYS_epoll_create1, EPOLL_CLOEXEC));
      if (queue->udata[which] == NULL) queue->udata[which] = calloc(MAX_FDS, sizeof(uint64_t));
    }
    queue->members[USER] = member(fd, syscall(SYS_eventfd2, 0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (at == queue_count) queue_count++;
  }
  pthread_mutex_unlock(&mutex);
  return fd;
}

static struct queue *queue_of(int fd) {
  for (int at = 0; at < queue_count; at++) if (queues[at].fd == fd) return &queues[at];
  return NULL;
}

void forget_events(int fd) {
  struct epoll_event none = { 0 };
  pthread_mutex_lock(&mutex);
  for (int at = 0; at < queue_count; at++) {
    if (queues[at].fd == -1) continue;
    if (queues[at].fd != fd) {
      for (int which = READ; which <= WRITE; which++) {
        syscall(SYS_epoll_ctl, queues[at].members[which], EPOLL_CTL_DEL, fd, &none);
      }
      continue;
    }
    for (int which = READ; which <= USER; which++) syscall(SYS_close, queues[at].members[which]);
    queues[at].fd = -1;
  }
  pthread_mutex_unlock(&mutex);
}

/* Carries out one change. Returns 0, or an error of Linux. */
static int change(struct queue *queue, const struct kevent *event) {
  uint64_t one = 1;
  if (event->filter == EVFILT_USER) {
    if (event->flags & EV_ADD) queue->user_udata = event->udata;
    if (event->fflags & NOTE_TRIGGER) syscall(SYS_write, queue->members[USER], &one, sizeof one);
    return 0;
  }
  int which = event->filter == -1 ? READ : WRITE, fd = event->ident;
  if (event->filter != -1 && event->filter != -2) return EINVAL;
  struct epoll_event watched = { EPOLLET | (which == READ ? EPOLLIN | EPOLLRDHUP : EPOLLOUT), { .fd = fd } };
  /* Habit 7: EBADF of a descriptor that was closed, ENOENT without a filter. Linux says the same. */
  if (event->flags & EV_DELETE) {
    return syscall(SYS_epoll_ctl, queue->members[which], EPOLL_CTL_DEL, fd, &watched) == -1 ? errno : 0;
  }
  if (fd < 0 || fd >= MAX_FDS) return EBADF;
  queue->udata[which][fd] = event->udata;
  if (syscall(SYS_epoll_ctl, queue->members[which], EPOLL_CTL_ADD, fd, &watched) == 0) return 0;
  if (errno != EEXIST) return errno;
  return syscall(SYS_epoll_ctl, queue->members[which], EPOLL_CTL_MOD, fd, &watched) == -1 ? errno : 0;
}

/* The filter's answer. Of urgent data nothing is said (habit 4). An error that ended a connection comes with the end,
 * and stays pending for the next call; elsewhere an error is only a reason to try. */
static struct kevent answer(const struct queue *queue, int which, const struct epoll_event *seen) {
  int fd = seen->data.fd, available = 0;
  struct state *state = state_of(fd);
  struct kevent event = { .ident = fd, .filter = which == READ ? -1 : -2, .flags = EV_CLEAR, .data = 1,
    .udata = queue->udata[which][fd] };
  uint32_t ended = which == READ ? EPOLLRDHUP | EPOLLHUP : EPOLLHUP;
  if (which == READ && syscall(SYS_ioctl, fd, FIONREAD, &available) == 0) event.data = available;
  if ((seen->events & ended) == 0 || state->datagrams) return event;
  int error = seen->events & EPOLLERR ? int_option(fd, SOL_SOCKET, SO_ERROR) : 0;
  if (error > 0) state->error = error;
  event.flags |= EV_EOF;
  event.fflags = state->error == 0 ? 0 : bsd_error(state->error);
  return event;
}

static int collect(struct queue *queue, struct kevent *events, int room) {
  struct epoll_event seen[MOST_AT_ONCE];
  uint64_t count;
  int written = 0;
  if (room > 0 && syscall(SYS_read, queue->members[USER], &count, sizeof count) > 0) {
    events[written++] = (struct kevent) { .ident = 1, .filter = EVFILT_USER, .flags = EV_CLEAR,
      .udata = queue->user_udata };
  }
  for (int which = READ; which <= WRITE && written < room; which++) {
    int most = room - written < MOST_AT_ONCE ? room - written : MOST_AT_ONCE;
    int found = syscall(SYS_epoll_pwait, queue->members[which], seen, most, 0, NULL, 8);
    for (int at = 0; at < found; at++) events[written++] = answer(queue, which, &seen[at]);
  }
  return written;
}

int bsd_kevent(int fd, const struct kevent *changes, int change_count, struct kevent *events, int room,
  const struct timespec *timeout) EXPORTED("kevent");
int bsd_kevent(int fd, const struct kevent *changes, int change_count, struct kevent *events, int room,
  const struct timespec *timeout) {
  struct pollfd pollfd = { .fd = fd, .events = POLLIN };
  int written = 0;
  pthread_mutex_lock(&mutex);
  struct queue *queue = queue_of(fd);
  for (int at = 0; queue != NULL && at < change_count; at++) {
    int error = change(queue, &changes[at]);
    if (error == 0) continue;
    if (written == room) {
      pthread_mutex_unlock(&mutex);
      return fail(error);
    }
    events[written] = changes[at];
    events[written].flags = EV_ERROR;
    events[written++].data = bsd_error(error);
  }
  pthread_mutex_unlock(&mutex);
  if (queue == NULL) return fail(EBADF);
  if (written > 0 || room == 0) return written;
  struct timespec left = timeout == NULL ? (struct timespec) { 0 } : *timeout;
  if (syscall(SYS_ppoll, &pollfd, 1, timeout == NULL ? NULL : &left, NULL, 8) == -1) return fail(errno);
  pthread_mutex_lock(&mutex);
  written = collect(queue, events, room);
  pthread_mutex_unlock(&mutex);
  return written;
}
