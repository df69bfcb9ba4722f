import Bytes
import CPlatform
import Glibc
import Model
import Platform
import Storage

/// A mount that shows crash states from memory, each as a directory, and notes what is read of each.
///
/// All states share one mount. The nodes of each are new to the kernel, so that none of its caches answers for another
/// state.
///
/// Thread safe, except `unmount`. This process must not open files of the mount: let other processes do that.
package final class StateMount: Sendable {
    private let mountPoint: ByteString
    private let helper: ByteString
    private let states = ServedStates()
    private let session: Session
    private let count = Guarded(0)

    /// Mounts at an empty directory.
    ///
    /// - Parameter allowOther: whether other users may access the mount.
    package init(
        _ mountPoint: ByteString, allowOther: Bool = false, helper: ByteString = "fusermount3"
    ) throws(MountError) {
        self.mountPoint = mountPoint
        self.helper = helper
        let device = try KernelMount.mount(mountPoint, allowOther: allowOther, helper: helper)
        do throws(Errno) {
            session = try Session(device: device, StateCallbacks.table(), serving: states)
            try session.start(.minimal, threadLimit: 8, onEnd: {})
        } catch {
            try KernelMount.unmount(mountPoint, helper: helper, force: true)
            throw .system(call: "FUSE", path: mountPoint, errno: error.code)
        }
    }

    /// Calls `body` with a directory that holds `tree`, while it is served. Returns its result and what was read, in order.
    ///
    /// - Parameter images: the content of the files; of the same payloads for all states.
    package func serve<Result>(
        _ tree: Tree, _ payloads: any PayloadStore, sharing images: FileImages,
        _ body: (_ directory: ByteString) throws -> Result
    ) throws -> (result: Result, reads: [Read]) {
        let number = count.withLock { count in
            count += 1
            return count
        }
        let name = ByteString("state-\(number)")
        let state = Self.state(tree, name, payloads, images, states)
        try states.add(name, state)
        defer {
            states.remove(name)
            session.invalidateRootName(name)
        }
        let result = try body(mountPoint.appending(component: name))
        return (result, state.recorder.reads)
    }

    private static func state(
        _ tree: Tree, _ name: ByteString, _ payloads: any PayloadStore, _ images: FileImages, _ states: ServedStates
    ) -> ServedState {
        let recorder = ReadRecorder()
        return ServedState(
            tree, recorder,
            content: { inode, node, path in
                try MemoryFile(name: path, images.image(inode, node, payloads: payloads), noting: recorder)
            },
            register: { states.register(name, $0) })
    }

    /// Unmounts, even if it is in use. Does nothing the second time.
    package func unmount() throws(MountError) {
        guard session.isServing else { return }
        let result = Result { () throws(MountError) in
            try KernelMount.unmount(mountPoint, helper: helper, force: true)
        }
        session.stop()
        session.join()
        states.handles.releaseAll()
        try result.get()
    }

    deinit {
        // There is no caller to report an error to.
        try? unmount()
    }
}
