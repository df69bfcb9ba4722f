import Bytes
import FaultFS
import Targets

extension Cleanup {
    /// What is asked of the kernel about mounts; tests put something else there.
    package struct Mounts {
        package var list: () throws(MountError) -> [MountTable.Entry]
        /// Whether somebody serves a mount of ours.
        package var connection: (MountTable.Entry) -> MountConnection
        package var detach: (ByteString) throws(MountError) -> Void

        package init(
            list: @escaping () throws(MountError) -> [MountTable.Entry],
            connection: @escaping (MountTable.Entry) -> MountConnection,
            detach: @escaping (ByteString) throws(MountError) -> Void
        ) {
            self.list = list
            self.connection = connection
            self.detach = detach
        }

        package static var kernel: Mounts {
            Mounts(
                list: { () throws(MountError) in try MountTable.read() }, connection: { $0.connection() },
                detach: { path throws(MountError) in try MountTable.detach(path) })
        }
    }

    /// What is asked about the processes that killed runs left; tests put something else there.
    package struct Processes {
        package var strays: () throws(TargetError) -> [StrayProcesses.Stray]
        package var end: (StrayProcesses.Stray) -> StrayProcesses.Ending

        package init(
            strays: @escaping () throws(TargetError) -> [StrayProcesses.Stray],
            end: @escaping (StrayProcesses.Stray) -> StrayProcesses.Ending
        ) {
            self.strays = strays
            self.end = end
        }

        package static var kernel: Processes {
            Processes(
                strays: { () throws(TargetError) in try StrayProcesses.all() }, end: { StrayProcesses.end($0) })
        }
    }
}
