// Drives a store for Faultline (docs/targets.md). Copy this file beside your driver; it needs Go 1.19 and no package. Fill in
// Calls, and let main call Drive. Put and Delete return ErrRefused for an operation that the store refused although it is
// well. Any other error ends the workload with exit status 1; of Open or Dump it says that the store does not open.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"time"
)

var ErrRefused = fmt.Errorf("the store refused the operation")

// Calls are the store's own. Open gets a directory that may hold what a crash left.
type Calls struct {
	Open     func(directory string) error
	Put      func(key, value []byte) error // durable when it returns, unless there is Sync
	Delete   func(key []byte) error        // the same; the key may be absent
	Sync     func() error                  // nil, or one sync for Group operations
	Dump     func(entry func(key, value []byte)) error
	Check    func() string // nil, or the store's own checker, after Dump: "ok", or its complaint
	Close    func() error  // frees locks, too: the next recovery may begin at once
	Group    int           // operations before one Sync; 0 is 1
	MaxValue int           // of drawn values; 0 is 3000, and 64 KiB now and then
}

type operation map[string]any // a line of the oracle; encoding/json writes bytes in base64
func check(err error, what string, status int) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(status)
	}
}
func variable(name string) (value string) {
	if value = os.Getenv(name); value == "" {
		check(fmt.Errorf("is not set: run the driver with faultline run MANIFEST --scenario smoke"), name, 2)
	}
	return value
}
func number(name string, otherwise int) int {
	if os.Getenv(name) != "" {
		_, err := fmt.Sscanf(os.Getenv(name)+"\n", "%d\n", &otherwise)
		check(err, name, 2)
	}
	return otherwise
}

// draw makes operation seq from the seed alone.
func draw(seed, seq, maxValue int) operation {
	stream := rand.New(rand.NewSource(int64(seed)*1_000_003 + int64(seq)))
	width, size := number("FAULTLINE_KEY_LEN", 3)-1, number("FAULTLINE_VALUE_LEN", -1)
	key := []byte(fmt.Sprintf("k%0*d", width, stream.Intn(number("FAULTLINE_KEYS", 10))))
	if stream.Intn(12) == 0 {
		return operation{"op": "del", "seq": seq, "key": key}
	}
	if kind := stream.Intn(64); size < 0 {
		size = map[bool]int{true: stream.Intn(maxValue)}[kind == 0 || kind >= 5]
		size += map[bool]int{true: 65536 - size}[kind == 0 && maxValue == 3000]
	}
	value := make([]byte, size)
	stream.Read(value)
	copy(value, fmt.Sprintf("%d ", seq))
	return operation{"op": "put", "seq": seq, "key": key, "payload": value}
}

func workload(calls Calls) {
	oracle, err := os.OpenFile(variable("FAULTLINE_ORACLE"), os.O_WRONLY|os.O_CREATE|os.O_APPEND|os.O_SYNC, 0o600)
	check(err, "the oracle", 2)
	note := func(it operation, phase string) {
		if it["phase"] = phase; phase == "" {
			delete(it, "phase")
		}
		line, _ := json.Marshal(it)
		_, err := oracle.Write(append(line, '\n'))
		check(err, "the oracle", 2)
	}
	seed, seq, left := number("FAULTLINE_SEED", 1), number("FAULTLINE_FIRST_SEQ", 1), number("FAULTLINE_ACKS", -1)
	end, seconds, began := seq+number("FAULTLINE_OPS", 100), number("FAULTLINE_DURATION", 1<<30), time.Now()
	check(calls.Open(variable("FAULTLINE_DIR")), "the store does not open", 1)
	for seq < end && time.Since(began) < time.Duration(seconds)*time.Second {
		waiting, err := []operation{}, error(nil)
		for ; seq < end && err == nil && (len(waiting) == 0 || len(waiting) < calls.Group); seq++ {
			it := draw(seed, seq, calls.MaxValue)
			note(it, "begin")
			if value, isPut := it["payload"].([]byte); isPut {
				err = calls.Put(it["key"].([]byte), value)
			} else {
				err = calls.Delete(it["key"].([]byte))
			}
			if waiting = append(waiting, it); err == ErrRefused {
				note(it, "failed")
				waiting, err = waiting[:len(waiting)-1], nil
			}
		}
		if err == nil && calls.Sync != nil {
			err = calls.Sync()
		}
		for _, it := range waiting {
			for ; err == nil && left == 0; time.Sleep(time.Hour) { // FAULTLINE_ACKS: wait to be killed
			}
			left--
			note(it, map[bool]string{false: "failed"}[err == nil])
		}
		check(err, "the store failed", 1)
	}
	check(calls.Close(), "the store did not close", 1)
}

// restore answers with the whole dump, or with the error alone. The store is closed before.
func restore(calls Calls, directory string) (answer []byte) {
	add := func(it operation) { line, _ := json.Marshal(it); answer = append(append(answer, line...), '\n') }
	err := calls.Open(directory)
	if err == nil {
		err = calls.Dump(func(key, value []byte) { add(operation{"key": key, "payload": append([]byte{}, value...)}) })
		if err == nil && calls.Check != nil {
			add(operation{"check": calls.Check()})
		}
		if closing := calls.Close(); err == nil {
			err = closing
		}
	}
	if add(operation{"end": true}); err != nil {
		answer = nil
		add(operation{"error": err.Error()})
	}
	return answer
}

// Drive runs the command that the first argument names, workload or recover; other arguments are yours.
func Drive(calls Calls) {
	calls.MaxValue += map[bool]int{true: 3000}[calls.MaxValue == 0]
	output := os.Stdout
	os.Stdout = os.Stderr // what the store prints must not get into the dump
	switch role, once := append(os.Args, "")[1], os.Getenv("FAULTLINE_DIR"); {
	case role == "workload":
		workload(calls)
	case role != "recover":
		check(fmt.Errorf("needs the argument workload or recover"), os.Args[0], 2)
	case once != "":
		output.Write(restore(calls, once))
	default:
		for input := bufio.NewScanner(os.Stdin); input.Scan(); {
			output.Write(restore(calls, input.Text()))
		}
	}
}
