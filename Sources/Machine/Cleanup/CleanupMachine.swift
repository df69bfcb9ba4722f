import Block
import Bytes
import FaultFS
import Targets

extension Cleanup {
    /// What is asked of the kernel about mounts; tests put something else there.
    package struct Mounts {
        package var list: () throws(MountError) -> [MountTable.Mount]
        /// Whether a process serves a FaultFS mount.
        package var connection: (MountTable.Mount) -> MountConnection
        package var detach: (ByteString) throws(MountError) -> Void

        package init(
            list: @escaping () throws(MountError) -> [MountTable.Mount],
            connection: @escaping (MountTable.Mount) -> MountConnection,
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

    /// The operations on leftover processes; replaceable in tests.
    package struct Processes {
        /// One sweep of a search (`StraySearch`): passes on each new stray process.
        package typealias Sweep = ((StrayProcesses.Stray) -> Void) throws(TargetError) -> StraySearch.Sweep

        /// Starts a search.
        package var search: () -> Sweep
        package var end: (StrayProcesses.Stray) -> StrayProcesses.Ending
        /// The time limit for processes that keep starting others.
        package var timeLimit: Duration

        package init(
            search: @escaping () -> Sweep, end: @escaping (StrayProcesses.Stray) -> StrayProcesses.Ending,
            timeLimit: Duration = .seconds(10)
        ) {
            (self.search, self.end, self.timeLimit) = (search, end, timeLimit)
        }

        package static var kernel: Processes {
            Processes(
                search: {
                    var search = StraySearch()
                    return { take throws(TargetError) in try search.sweep(take) }
                }, end: { StrayProcesses.end($0) })
        }
    }

    /// The operations on device-mapper devices; replaceable in tests.
    package struct Devices {
        package var list: () -> [DeviceMapper.Device]
        /// Takes the device of this name away. False if it is still there.
        package var remove: (String) -> Bool

        package init(list: @escaping () -> [DeviceMapper.Device], remove: @escaping (String) -> Bool) {
            (self.list, self.remove) = (list, remove)
        }

        package static var kernel: Devices {
            Devices(list: DeviceMapper.devices) { name in
                DeviceMapper.remove(name)
                return !DeviceMapper.devices().contains { $0.name == name }
            }
        }
    }
}
