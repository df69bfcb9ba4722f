import Bytes
import Glibc

extension ConfiguredTarget {
    /// Gives the store's empty directory to the target's user, and runs the init command on it, if the target has them.
    ///
    /// - Parameter runsCommand: false to leave the directory empty.
    /// - Throws: `notInitialised` if the command fails.
    package func initialise(_ directory: ByteString, runsCommand: Bool = true) throws(TargetError) {
        if let user = target.user {
            let identity = try UserIdentity(named: user)
            guard directory.withCString({ chown($0, identity.user, identity.group) }) == 0 else {
                throw .system("chown", directory)
            }
        }
        guard runsCommand, let words = target.initialise else { return }
        let path = try directory.absolutePath()
        var command = command(words, at: StorePlace(path))
        command.environment["FAULTLINE_DIR"] = path
        command.output = .errors
        let limit = target.timeoutSeconds * 1000
        let (end, process) = try ProcessRunner.run(command, timeoutMilliseconds: limit)
        guard end.isSuccess else { throw .notInitialised(ending: "\(end)", said: process.standardError.said) }
    }
}
