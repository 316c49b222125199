// What Go's standard library can do: one JSON object of verdicts. "by hand" is what needs numbers or system calls of the
// program's own.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

const (
	soReusePort           = 15
	ipAddSourceMembership = 39
	udpSegment            = 103
	sysSendmmsg           = 307
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func control(level, name, value int) net.ListenConfig {
	return net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), level, name, value) })
		return err
	}}
}

func port(addr net.Addr) string {
	_, port, _ := net.SplitHostPort(addr.String())
	return port
}

func receives(conn *net.UDPConn) bool {
	conn.SetReadDeadline(time.Now().Add(time.Second))
	_, _, err := conn.ReadFromUDP(make([]byte, 64))
	return err == nil
}

func udp(address string) *net.UDPConn {
	conn, err := net.ListenPacket("udp", address)
	check(err)
	return conn.(*net.UDPConn)
}

func setsockopt(conn *net.UDPConn, set func(fd int) error) {
	raw, err := conn.SyscallConn()
	check(err)
	raw.Control(func(fd uintptr) { err = set(int(fd)) })
	check(err)
}

// A listener of python3's with a full queue, which accepts after an empty line.
func fullListener(host, port string) (string, func(), func()) {
	family := "AF_INET"
	if strings.Contains(host, ":") {
		family = "AF_INET6"
	}
	code := fmt.Sprintf(`import socket,sys
s=socket.socket(socket.%[1]s);s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1)
s.bind((%[2]q,%[3]s));s.listen(0)
held=[]
for _ in range(3):
  c=socket.socket(socket.%[1]s);c.setblocking(False)
  try: c.connect(s.getsockname()[:2])
  except BlockingIOError: pass
  held.append(c)
print(s.getsockname()[1],flush=True)
sys.stdin.readline()
while True: held.append(s.accept())`, family, host, port)
	child := exec.Command("python3", "-c", code)
	out, err := child.StdoutPipe()
	check(err)
	in, err := child.StdinPipe()
	check(err)
	check(child.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	check(err)
	return strings.TrimSpace(line), func() { in.Write([]byte("\n")) }, func() { child.Process.Kill(); child.Wait() }
}

func happyEyeballs() any {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	_, _, release := fullListener("::1", port(listener.Addr()))
	defer release()
	started := time.Now()
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).Dial("tcp", net.JoinHostPort(os.Getenv("NAME"), port(listener.Addr())))
	if err != nil {
		return false
	}
	conn.Close()
	if time.Since(started) < 50*time.Millisecond {
		return "all at once"
	}
	refused, accept, end := fullListener("::1", "0")
	defer end()
	time.AfterFunc(500*time.Millisecond, accept)
	conn, err = (&net.Dialer{Timeout: 5 * time.Second}).Dial("tcp", net.JoinHostPort(os.Getenv("NAME"), refused))
	if err != nil {
		return "one by one"
	}
	conn.Close()
	return true
}

var probes = map[string]func() any{
	"udpReusePort": func() any {
		config := control(syscall.SOL_SOCKET, soReusePort, 1)
		one, err := config.ListenPacket(context.Background(), "udp4", "127.0.0.1:0")
		check(err)
		_, err = config.ListenPacket(context.Background(), "udp4", one.LocalAddr().String())
		check(err)
		return "by hand"
	},
	"tcpReusePort": func() any {
		config := control(syscall.SOL_SOCKET, soReusePort, 1)
		one, err := config.Listen(context.Background(), "tcp4", "127.0.0.1:0")
		check(err)
		_, err = config.Listen(context.Background(), "tcp4", one.Addr().String())
		check(err)
		return "by hand"
	},
	"anyOption": func() any {
		config := control(syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1)
		_, err := config.Listen(context.Background(), "tcp4", "127.0.0.1:0")
		check(err)
		return true
	},
	"multicast": func() any {
		one, err := net.InterfaceByName(os.Getenv("INTERFACE"))
		check(err)
		for _, group := range []string{"239.255.77.1", "ff15::77"} {
			network, zone := "udp4", ""
			if strings.Contains(group, ":") {
				network, zone = "udp6", one.Name
			}
			conn, err := net.ListenMulticastUDP(network, one, &net.UDPAddr{IP: net.ParseIP(group)})
			check(err)
			to := &net.UDPAddr{IP: net.ParseIP(group), Port: conn.LocalAddr().(*net.UDPAddr).Port, Zone: zone}
			sender, err := net.DialUDP(network, nil, to)
			check(err)
			sender.Write([]byte("x"))
			if !receives(conn) {
				return false
			}
		}
		return true
	},
	"sourceSpecific": func() any {
		conn := udp("232.1.77.1:0")
		ip := func(text string) []byte { return net.ParseIP(text).To4() }
		address := os.Getenv("ADDRESS")
		mreq := string(ip("232.1.77.1")) + string(ip(address)) + string(ip(address))
		setsockopt(conn, func(fd int) error {
			return syscall.SetsockoptString(fd, syscall.IPPROTO_IP, ipAddSourceMembership, mreq)
		})
		sender, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.ParseIP(address)}, conn.LocalAddr().(*net.UDPAddr))
		check(err)
		sender.Write([]byte("x"))
		if receives(conn) {
			return "by hand"
		}
		return false
	},
	"packetInfo": func() any {
		conn := udp("0.0.0.0:0")
		setsockopt(conn, func(fd int) error { return syscall.SetsockoptInt(fd, syscall.IPPROTO_IP, syscall.IP_PKTINFO, 1) })
		udp("127.0.0.1:0").WriteTo([]byte("x"), &net.UDPAddr{IP: net.IPv4(127, 0, 0, 2), Port: conn.LocalAddr().(*net.UDPAddr).Port})
		oob := make([]byte, 256)
		_, n, _, _, err := conn.ReadMsgUDP(make([]byte, 64), oob)
		check(err)
		messages, err := syscall.ParseSocketControlMessage(oob[:n])
		check(err)
		if len(messages) == 1 && net.IP(messages[0].Data[8:12]).String() == "127.0.0.2" {
			return "by hand"
		}
		return false
	},
	"manyAtOnce": func() any {
		type mmsghdr struct {
			header syscall.Msghdr
			length uint32
		}
		receiver := udp("127.0.0.1:0")
		sender, err := net.DialUDP("udp4", nil, receiver.LocalAddr().(*net.UDPAddr))
		check(err)
		data := []byte("x")
		vector := syscall.Iovec{Base: &data[0], Len: 1}
		messages := make([]mmsghdr, 2)
		for i := range messages {
			messages[i].header.Iov, messages[i].header.Iovlen = &vector, 1
		}
		sent := 0
		setsockopt(sender, func(fd int) error {
			n, _, errno := syscall.Syscall6(sysSendmmsg, uintptr(fd), uintptr(unsafe.Pointer(&messages[0])), 2, 0, 0, 0)
			sent = int(n)
			if errno != 0 {
				return errno
			}
			return nil
		})
		if sent == 2 && receives(receiver) {
			return "by hand"
		}
		return false
	},
	"offload": func() any {
		setsockopt(udp("127.0.0.1:0"), func(fd int) error {
			return syscall.SetsockoptInt(fd, syscall.IPPROTO_UDP, udpSegment, 1200)
		})
		return "by hand"
	},
	"localAddress": func() any {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		check(err)
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}
		_, err = dialer.Dial("tcp", listener.Addr().String())
		check(err)
		conn, err := listener.Accept()
		check(err)
		return strings.HasPrefix(conn.RemoteAddr().String(), "127.0.0.9:")
	},
	"deadlines": func() any {
		conn := udp("127.0.0.1:0")
		conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		_, _, err := conn.ReadFrom(make([]byte, 1))
		var timeout net.Error
		return errors.As(err, &timeout) && timeout.Timeout()
	},
	"cancelDial": func() any {
		port, _, release := fullListener("127.0.0.1", "0")
		defer release()
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		_, err := (&net.Dialer{}).DialContext(ctx, "tcp", "127.0.0.1:"+port)
		return err != nil
	},
	"happyEyeballs": happyEyeballs,
	"unixKinds": func() any {
		path := fmt.Sprintf("/tmp/berkeley-comparison-go-%d", os.Getpid())
		for _, network := range []string{"unix", "unixpacket"} {
			listener, err := net.Listen(network, path)
			check(err)
			listener.Close()
		}
		conn, err := net.ListenPacket("unixgram", path)
		check(err)
		conn.Close()
		os.Remove(path)
		return "all"
	},
	"descriptorPassing": func() any {
		fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
		check(err)
		one, err := net.FileConn(os.NewFile(uintptr(fds[0]), ""))
		check(err)
		two, err := net.FileConn(os.NewFile(uintptr(fds[1]), ""))
		check(err)
		_, _, err = one.(*net.UnixConn).WriteMsgUnix([]byte("x"), syscall.UnixRights(0), nil)
		check(err)
		oob := make([]byte, 64)
		_, n, _, _, err := two.(*net.UnixConn).ReadMsgUnix(make([]byte, 1), oob)
		check(err)
		messages, err := syscall.ParseSocketControlMessage(oob[:n])
		check(err)
		passed, err := syscall.ParseUnixRights(&messages[0])
		check(err)
		return len(passed) == 1
	},
	"credentials": func() any {
		fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
		check(err)
		peer, err := syscall.GetsockoptUcred(fds[0], syscall.SOL_SOCKET, syscall.SO_PEERCRED)
		check(err)
		return int(peer.Pid) == os.Getpid()
	},
	"inherited": func() any {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		check(err)
		file, err := listener.(*net.TCPListener).File()
		check(err)
		same, err := net.FileListener(os.NewFile(file.Fd(), ""))
		check(err)
		return same.Addr().String() == listener.Addr().String()
	},
	"rawSockets": func() any {
		_, err := net.ListenPacket("ip4:icmp", "127.0.0.1")
		check(err)
		return true
	},
}

func verdict(probe func() any) (result any) {
	defer func() {
		if failure := recover(); failure != nil {
			fmt.Fprintln(os.Stderr, failure)
			result = false
		}
	}()
	return probe()
}

func main() {
	verdicts := map[string]any{}
	for name, probe := range probes {
		verdicts[name] = verdict(probe)
	}
	text, err := json.Marshal(verdicts)
	check(err)
	fmt.Println(string(text))
}
