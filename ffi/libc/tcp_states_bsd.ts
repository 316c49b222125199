/** The states of a connection in the order of <netinet/tcp_fsm.h>. */
export const BSD_TCP_STATES = [
  "closed",
  "listen",
  "syn-sent",
  "syn-received",
  "established",
  "close-wait",
  "fin-wait-1",
  "closing",
  "last-ack",
  "fin-wait-2",
  "time-wait",
] as const;
