/* Names of hosts and interfaces, and functions of memory. The functions of the same names in the Linux library do the
 * work, and their results are written anew. */
#include "bsd.h"

#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/ioctl.h>

/* By its handle: in the default search order the functions of this library come first. */
#define LINUX(name) ((typeof(&name))dlsym(dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD), #name))

struct bsd_addrinfo {
  int flags, family, type, protocol;
  socklen_t length;
  char *canonical_name;
  uint8_t *address;
  struct bsd_addrinfo *next;
};

static int to_bsd_result(int result) {
  switch (result) {
    case EAI_BADFLAGS: return 3;
    case EAI_NONAME: return 8;
    case EAI_AGAIN: return 2;
    case EAI_FAIL: return 4;
    case EAI_NODATA: return 7;
    case EAI_FAMILY: return 5;
    case EAI_SOCKTYPE: return 10;
    case EAI_SERVICE: return 9;
    case EAI_ADDRFAMILY: return 1;
    case EAI_MEMORY: return 6;
    case EAI_OVERFLOW: return 14;
    case EAI_SYSTEM: fail(errno); return 11;
    default: return result == 0 ? 0 : 4;
  }
}

void bsd_freeaddrinfo(struct bsd_addrinfo *list) EXPORTED("freeaddrinfo");
void bsd_freeaddrinfo(struct bsd_addrinfo *list) {
  for (struct bsd_addrinfo *next; list != NULL; list = next) {
    next = list->next;
    free(list->address);
    free(list);
  }
}

int bsd_getaddrinfo(const char *node, const char *service, const struct bsd_addrinfo *hints,
  struct bsd_addrinfo **result) EXPORTED("getaddrinfo");
int bsd_getaddrinfo(const char *node, const char *service, const struct bsd_addrinfo *hints,
  struct bsd_addrinfo **result) {
  int flags = hints->flags;
  struct addrinfo *found, wanted = { .ai_socktype = hints->type, .ai_protocol = hints->protocol };
  wanted.ai_family = hints->family == BSD_AF_INET6 ? AF_INET6 : hints->family;
  wanted.ai_flags = (flags & 0x7) | (flags & 0x400 ? AI_ADDRCONFIG : 0);
  int error = LINUX(getaddrinfo)(node, service, &wanted, &found);
  if (error != 0) return to_bsd_result(error);
  for (struct addrinfo *at = found; at != NULL; at = at->ai_next) {
    socklen_t length = at->ai_addrlen;
    struct bsd_addrinfo *made = calloc(1, sizeof *made);
    *made = (struct bsd_addrinfo) { .type = at->ai_socktype, .protocol = at->ai_protocol, .length = length };
    made->family = at->ai_family == AF_INET6 ? BSD_AF_INET6 : at->ai_family;
    struct sockaddr_storage address = { 0 };
    memcpy(&address, at->ai_addr, length);
    made->address = calloc(1, length);
    to_bsd(made->address, &length, &address, length);
    *result = made;
    result = &made->next;
  }
  LINUX(freeaddrinfo)(found);
  return 0;
}

/* A struct sockaddr_dl, with 8 bytes of if_data before the MTU, or an address as it is here. */
static struct sockaddr *renewed(const struct sockaddr *from) {
  if (from == NULL) return NULL;
  uint8_t *to = calloc(1, sizeof(struct sockaddr_storage));
  struct sockaddr_storage address = { 0 };
  const struct sockaddr_ll *link = (const struct sockaddr_ll *)from;
  socklen_t length = from->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
  if (from->sa_family != AF_PACKET) {
    memcpy(&address, from, length);
    to_bsd(to, &length, &address, length);
    return (struct sockaddr *)to;
  }
  uint8_t head[8] = { 8 + link->sll_halen, 18, link->sll_ifindex, link->sll_ifindex >> 8, 0, 0, link->sll_halen };
  memcpy(to, head, sizeof head);
  memcpy(to + sizeof head, link->sll_addr, link->sll_halen);
  return (struct sockaddr *)to;
}

static uint32_t *interface_data(const char *name) {
  struct ifreq request = { 0 };
  uint32_t *data = calloc(1, 128);
  int fd = syscall(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (syscall(SYS_ioctl, fd, SIOCGIFMTU, &request) == 0) data[2] = request.ifr_mtu;
  syscall(SYS_close, fd);
  return data;
}

void bsd_freeifaddrs(struct ifaddrs *list) EXPORTED("freeifaddrs");
void bsd_freeifaddrs(struct ifaddrs *list) {
  for (struct ifaddrs *next; list != NULL; list = next) {
    next = list->ifa_next;
    free(list->ifa_name);
    free(list->ifa_addr);
    free(list->ifa_netmask);
    free(list->ifa_dstaddr);
    free(list->ifa_data);
    free(list);
  }
}

int bsd_getifaddrs(struct ifaddrs **result) EXPORTED("getifaddrs");
int bsd_getifaddrs(struct ifaddrs **result) {
  struct ifaddrs *found;
  if (LINUX(getifaddrs)(&found) == -1) return fail(errno);
  *result = NULL;
  for (struct ifaddrs *at = found; at != NULL; at = at->ifa_next) {
    /* A tun device has no address on Linux, and one of no bytes here. */
    struct sockaddr_ll none = { .sll_family = AF_PACKET, .sll_ifindex = LINUX(if_nametoindex)(at->ifa_name) };
    if (at->ifa_addr == NULL) at->ifa_addr = (struct sockaddr *)&none;
    int is_link = at->ifa_addr->sa_family == AF_PACKET;
    struct ifaddrs *made = calloc(1, sizeof *made);
    made->ifa_name = strdup(at->ifa_name);
    made->ifa_flags = (at->ifa_flags & ~IFF_MULTICAST) | (at->ifa_flags & IFF_MULTICAST ? 0x8000 : 0);
    made->ifa_addr = renewed(at->ifa_addr);
    made->ifa_netmask = is_link ? NULL : renewed(at->ifa_netmask);
    made->ifa_dstaddr = is_link ? NULL : renewed(at->ifa_dstaddr);
    made->ifa_data = is_link ? interface_data(at->ifa_name) : NULL;
    *result = made;
    result = &made->ifa_next;
  }
  LINUX(freeifaddrs)(found);
  return 0;
}

unsigned bsd_if_nametoindex(const char *name) EXPORTED("if_nametoindex");
unsigned bsd_if_nametoindex(const char *name) {
  unsigned index = LINUX(if_nametoindex)(name);
  if (index == 0) fail(ENXIO);
  return index;
}

char *bsd_if_indextoname(unsigned index, char *name) EXPORTED("if_indextoname");
char *bsd_if_indextoname(unsigned index, char *name) {
  char *found = LINUX(if_indextoname)(index, name);
  if (found == NULL) fail(ENXIO);
  return found;
}

/* FIONREAD and FIONWRITE. */
int bsd_ioctl(int fd, unsigned long operation, void *argument) EXPORTED("ioctl");
int bsd_ioctl(int fd, unsigned long operation, void *argument) {
  if (operation == 0x4004667f) return checked(syscall(SYS_ioctl, fd, FIONREAD, argument));
  if (operation == 0x40046677) return checked(syscall(SYS_ioctl, fd, TIOCOUTQ, argument));
  return fail(int_option(fd, SOL_SOCKET, SO_TYPE) == -1 ? errno : ENOTTY);
}

size_t bsd_strlen(const char *text) EXPORTED("strlen");
size_t bsd_strlen(const char *text) {
  size_t length = 0;
  while (text[length] != '\0') length++;
  return length;
}

void *bsd_memmove(uint8_t *to, const uint8_t *from, size_t length) EXPORTED("memmove");
void *bsd_memmove(uint8_t *to, const uint8_t *from, size_t length) {
  if (to <= from) for (size_t at = 0; at < length; at++) to[at] = from[at];
  else while (length-- > 0) to[length] = from[length];
  return to;
}

void *bsd_memcpy(uint8_t *to, const uint8_t *from, size_t length) EXPORTED("memcpy");
void *bsd_memcpy(uint8_t *to, const uint8_t *from, size_t length) { return bsd_memmove(to, from, length); }
