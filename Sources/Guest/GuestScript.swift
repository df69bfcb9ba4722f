import Bytes

/// The scripts of the guest. The first two are constant; words of users get into the other two as quoted words alone.
enum GuestScript {
    /// The first process: it loads modules, mounts the host's files, and runs each task when its directory is there, on a
    /// layer in memory.
    static let initialProcess = """
        #!/bin/sh
        export PATH=/bin
        end() { sync; poweroff -f; reboot -f; sleep 60; }
        fail() {
            echo "faultline-guest: $*"
            echo "$*" > /share/failure 2>/dev/null
            end
        }
        mount -t proc proc /proc
        mount -t sysfs sys /sys
        mount -t devtmpfs dev /dev
        for module in $(cat /modules/boot); do
            insmod "/modules/$module.ko" || fail "the module $module does not load"
        done
        over=trans=virtio,version=9p2000.L,msize=512000
        mount -t 9p -o "$over,cache=none" share /share || fail "the run's directory cannot be mounted"
        mount -t 9p -o "$over,cache=loose,ro" host /host || fail "the host's files cannot be mounted"
        mount -t tmpfs -o mode=755 layer /layer || fail "no memory for the layer"

        # A task has a layer of its own.
        set_up() {
            system=/layer/$1/system
            mkdir "/layer/$1" "/layer/$1/upper" "/layer/$1/work" "$system"
            mount -t overlay -o "lowerdir=/host,upperdir=/layer/$1/upper,workdir=/layer/$1/work" system "$system" ||
                fail "the layer over the host's files cannot be mounted"
            for place in proc sys dev run tmp; do mkdir -p "$system/$place"; done
            mount -t proc proc "$system/proc"
            mount -t sysfs sys "$system/sys"
            mount -t devtmpfs dev "$system/dev"
            mkdir -p "$system/dev/pts" "$system/dev/shm"
            mount -t devpts devpts "$system/dev/pts"
            mount -t tmpfs -o mode=1777 shm "$system/dev/shm"
            mount -t tmpfs -o mode=755 run "$system/run"
            mkdir -p "$system/run/faultline-guest"
        }
        run() {
            mount -o bind "/share/$1" "$system/run/faultline-guest" ||
                fail "the run's directory cannot be shown to the command"
            chroot "$system" /bin/sh /run/faultline-guest/command </dev/null >"/share/$1/stdout" 2>"/share/$1/stderr"
            status=$?
            chroot "$system" /bin/sh /run/faultline-guest/bring </dev/null >"/share/$1/brought.log" 2>&1
            echo "$status" > "/share/$1/status.new"
            mv "/share/$1/status.new" "/share/$1/status"
            # What it has left: processes, mounts, files.
            kill -9 -1 2>/dev/null
            umount -l "$system"
            rm -rf "/layer/$1"
        }
        number=1
        set_up $number
        echo > /share/booted
        while :; do
            # Each look costs an emulated process: after two seconds without work, fewer of them.
            looks=0
            while [ ! -e "/share/$number/start" ]; do
                looks=$((looks + 1))
                if [ $looks -lt 60 ]; then sleep 0.03; else sleep 0.5; fi
            done
            run $number
            number=$((number + 1))
            set_up $number
        done

        """

    /// The kernel calls it with the name of a module that it wants: `modprobe -q -- fs-xfs`.
    static let moduleLoader = """
        #!/bin/sh
        export PATH=/bin
        name=
        for name; do :; done
        [ -f "/modules/$name" ] || exit 1
        for module in $(cat "/modules/$name"); do insmod "/modules/$module.ko" 2>/dev/null; done
        exit 0

        """

    /// Runs a command in its directory, with its environment.
    static func command(_ task: GuestTask) throws(GuestError) -> [UInt8] {
        var text = Array("#!/bin/sh\n".utf8)
        for (name, value) in task.environment.sorted(by: { $0.key < $1.key }) {
            text += Array("export \(name)=".utf8) + (try quoted(value)) + [newline]
        }
        text += Array("cd -- ".utf8) + (try quoted(task.directory)) + Array(" || exit 125\n".utf8)
        text += Array("exec".utf8) + (try words(task.arguments)) + [newline]
        return text
    }

    /// Copies what the command has left behind to the shared directory. A path that is not there is left out.
    static func bringing(_ paths: [ByteString]) throws(GuestError) -> [UInt8] {
        var text = Array("#!/bin/sh\nmkdir /run/faultline-guest/brought\n".utf8)
        for path in paths {
            let word = try quoted(path)
            text += Array("[ ! -e ".utf8) + word + Array(" ] || cp -R -- ".utf8) + word
            text += Array(" /run/faultline-guest/brought/\n".utf8)
        }
        return text
    }

    private static let newline = UInt8(ascii: "\n")

    private static func words(_ arguments: [ByteString]) throws(GuestError) -> [UInt8] {
        var text: [UInt8] = []
        for argument in arguments { text += [UInt8(ascii: " ")] + (try quoted(argument)) }
        return text
    }

    private static func quoted(_ word: ByteString) throws(GuestError) -> [UInt8] {
        guard !word.bytes.contains(0) else { throw .notPassable(word) }
        return word.shellQuoted
    }
}
