// Receives as Go's net does it, one datagram a call: udp_receive.
//
// Says its port of 127.0.0.1, and then how many datagrams a second it took and at what processor time.
package main

import (
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

const (
	length = 2048
	warmUp = 400 * time.Millisecond
	window = time.Second
	limit  = 20 * time.Second
	// Calls between two looks at the clock.
	stride = 64
)

// Microseconds, user and system.
func processor() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return float64(usage.Utime.Sec+usage.Stime.Sec)*1e6 + float64(usage.Utime.Usec+usage.Stime.Usec)
}

func receive(conn *net.UDPConn, buffer []byte, duration time.Duration) (count int, elapsed float64) {
	start := time.Now()
	for time.Since(start) < duration {
		for i := 0; i < stride; i++ {
			if _, _, err := conn.ReadFromUDPAddrPort(buffer); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			count++
		}
	}
	return count, time.Since(start).Seconds()
}

func main() {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		panic(err)
	}
	conn.SetDeadline(time.Now().Add(limit))
	fmt.Printf("{\"port\":%d}\n", conn.LocalAddr().(*net.UDPAddr).Port)
	buffer := make([]byte, length)
	receive(conn, buffer, warmUp)
	before := processor()
	count, elapsed := receive(conn, buffer, window)
	fmt.Printf("{\"rate\":%f,\"processor\":%f}\n", float64(count)/elapsed, (processor()-before)/float64(count))
}
