import Bytes
import FaultFS
import Glibc
import Model
import Testing

/// The trace records what a program does in the mount, in order.
@Suite(.enabled(if: Bench.canMount), .serialized) struct RecordingTests {
    @Test(arguments: [
        ("printf one > a; printf two >> a", "1 create 2 file 644 1/a|2 write 2 at 0 'one'|3 write 2 at 3 'two'"),
        (
            "printf one > a; printf x > a",
            "1 create 2 file 644 1/a|2 write 2 at 0 'one'|3 truncate 2 to 0|4 write 2 at 0 'x'"
        ),
        ("mkdir d; rmdir d", "1 create 2 directory 755 1/d|2 unlink 1/d"),
        ("umask 077; mkdir d; : > d/f", "1 create 2 directory 700 1/d|2 create 3 file 600 2/f"),
        ("ln -s there l; mkfifo p", "1 create 2 link to there 777 1/l|2 create 3 fifo 644 1/p"),
        (
            ": > a; ln a b; rm a; mv b c",
            "1 create 2 file 644 1/a|2 link 2 1/b|3 unlink 1/a|4 rename 1/b 1/c noReplace"
        ),
        (": > a; chmod 600 a; chown 7:8 a", "1 create 2 file 644 1/a|2 attributes 2 600 0:0|3 attributes 2 600 7:8"),
        (
            ": > a; setfattr -n user.k -v v a; setfattr -x user.k a",
            "1 create 2 file 644 1/a|2 xattr 2 user.k v|3 xattr 2 user.k removed"
        ),
        (
            ": > a; fallocate -l 9 a; fallocate -p -o 1 -l 3 a",
            "1 create 2 file 644 1/a|2 allocate 2 0+9 extend|3 fsync 2 began|3 ended|4 allocate 2 1+3 punchHole|5 fsync 2 began|5 ended"
        ),
        (
            "printf x > a; sync a; sync -d a; sync .",
            "1 create 2 file 644 1/a|2 write 2 at 0 'x'|3 fsync 2 began|3 ended|4 fdatasync 2 began|4 ended|5 fsync 1 began|5 ended"
        ),
        (
            "printf x | dd of=a oflag=dsync status=none",
            "1 create 2 file 644 1/a|2 write 2 at 0 'x'|3 fdatasync 2 began|3 ended"
        ),
        (
            // One write(2) that starts within a page. The next case: two write(2) of a page each.
            "printf x > a; head -c 9000 /dev/zero | dd of=a bs=9000 iflag=fullblock oflag=append conv=notrunc status=none",
            "1 create 2 file 644 1/a|2 write 2 at 0 'x'|3 write 2 at 1 4095 bytes|4 write 2 at 4096 4905 bytes sameCall"
        ),
        (
            "head -c 8192 /dev/zero | dd of=a bs=4096 iflag=fullblock status=none",
            "1 create 2 file 644 1/a|2 write 2 at 0 4096 bytes|3 write 2 at 4096 4096 bytes"
        ),
        (
            "head -c 2097153 /dev/zero | dd of=a bs=2097153 iflag=fullblock status=none",
            "1 create 2 file 644 1/a|2 write 2 at 0 1048576 bytes|3 write 2 at 1048576 1048576 bytes sameCall|4 write 2 at 2097152 '\\x00' sameCall"
        ),
        (
            "head -c 8192 /dev/zero | dd of=a bs=8192 iflag=fullblock oflag=sync,direct status=none",
            "1 create 2 file 644 1/a|2 write 2 at 0 8192 bytes|3 fsync 2 began|3 ended"
        ),
        (
            // Failed and empty calls record nothing.
            ": > a; setfattr -x user.k a 2>/dev/null; fallocate -l 0 a 2>/dev/null; printf '' >> a; true",
            "1 create 2 file 644 1/a"
        ),
        (
            "exec 3<> a; truncate -s 300000 a; rm a; ln -L /proc/self/fd/3 b 2>/dev/null; stat -L /proc/self/fd/3 > /dev/null; "
                + "ln -L /proc/self/fd/3 b 2>/dev/null; true",
            "1 create 2 file 644 1/a|2 truncate 2 to 300000|3 unlink 1/a"
        ),
        ("rm nothing 2>/dev/null; mkdir . 2>/dev/null; cat nothing 2>/dev/null; true", ""),
    ])
    func `operations are recorded`(script: String, expected: String) throws {
        for root in Bench.roots {
            let bench = try Bench(in: root)
            bench.succeed(script)
            #expect(bench.trace.text == expected.split(separator: "|").map { $0 + "\n" }.joined())
        }
    }

    @Test func `existing files have the ids of the scan order`() throws {
        let bench = try Bench(prepare: "mkdir d; printf x > d/f; ln d/f g; printf y > z")
        bench.succeed("printf a >> g; printf b >> d/f; printf c >> z; : > new; rm z; printf d > z")
        #expect(
            bench.trace.text == """
                1 write 3 at 1 'a'
                2 write 3 at 2 'b'
                3 write 4 at 1 'c'
                4 create 5 file 644 1/new
                5 unlink 1/z
                6 create 6 file 644 1/z
                7 write 6 at 0 'd'

                """)
    }

    /// A page of a shared mapping is recorded when the kernel writes it back, at the latest on msync(2).
    @Test func `shared mappings are recorded before their sync`() throws {
        let bench = try Bench(prepare: "printf 0123456789 > f")
        let path = bench.mountPoint + "/f"
        let file = open(path, O_RDWR | O_CLOEXEC)
        try #require(file >= 0)
        let map = mmap(nil, 10, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
        try #require(map != MAP_FAILED)
        map?.storeBytes(of: UInt8(ascii: "x"), toByteOffset: 3, as: UInt8.self)
        #expect(msync(map, 10, MS_SYNC) == 0)
        munmap(map, 10)
        close(file)
        #expect(bench.trace.text == "1 write 2 at 0 '012x456789' writeback\n2 fdatasync 2 began\n2 ended\n")
    }

    @Test func `oracle lines are in the trace and in the outside file`() throws {
        let bench = try Bench()
        bench.succeed(
            """
            printf x > a; echo '{"op":1}' >> .faultline/oracle; printf y >> a
            printf 'two\\nthree\\nlast' >> .faultline/oracle; sync .faultline/oracle
            """)
        #expect(
            bench.trace.text == """
                1 create 2 file 644 1/a
                2 write 2 at 0 'x'
                oracle '{"op":1}'
                3 write 2 at 1 'y'
                oracle 'two'
                oracle 'three'
                oracle 'last'

                """)
        #expect(Shell.run("cat '\(bench.oracle)'").output == "{\"op\":1}\ntwo\nthree\nlast\n")
        #expect(bench.succeed("cat .faultline/oracle") == "{\"op\":1}\ntwo\nthree\nlast\n")
    }

    /// A disk image of 300 MiB that holds a few bytes must not make a trace of 300 MiB.
    @Test func `a sparse file takes no more room in the base than on its disk`() throws {
        let bench = try Bench(
            prepare: """
                truncate -s 300M f
                printf here | dd of=f bs=1 seek=100000000 conv=notrunc status=none
                """)
        let inode = try #require(bench.mount.base[DirectoryEntry(.root, "f")])
        let node = try #require(bench.mount.base.nodes[inode])
        #expect(node.sizeBytes == 300 << 20)
        let kept = node.content.extents
        #expect(kept.contains { $0.offsetBytes <= 100_000_000 && $0.endBytes >= 100_000_004 })
        #expect(kept.reduce(0) { $0 + $1.data.countBytes } <= 1 << 20, "\(kept)")
        // What was a hole is one again after a power cut, and what was there is there.
        bench.succeed(
            """
            for place in 50 100000001 200000000; do printf lost | dd of=f bs=1 seek=$place conv=notrunc status=none; done
            """)
        _ = try bench.mount.cutPower(.strict, .nothing)
        let left = Shell.run("cd '\(bench.backing)' && tr -d '\\0' < f && stat -c %s f")
        #expect(left.output == "here\(300 << 20)\n")
    }
}
