import Bytes
import CPlatform
import Glibc

/// What an output must not be beside what else a command reads and writes.
extension OutputFile {
    /// Refuses an output that would take the place of one of these files, which the command reads. Those that are not
    /// there are no matter.
    public func refuse(inputs: [ByteString]) throws(OutputError) {
        guard let own = replaced else { return }
        for input in inputs {
            var status = stat()
            guard input.withCString({ stat($0, &status) }) == 0, status.isSame(as: own) else { continue }
            throw OutputError(path, .isInput)
        }
    }

    /// Refuses an output among the files of this directory, which the command reads.
    public func refuse(inside directory: ByteString) throws(OutputError) {
        var (own, other) = (stat(), stat())
        guard let place, faultline_fstat(place.parent, &own) == 0,
            directory.withCString({ stat($0, &other) }) == 0, own.isSame(as: other)
        else { return }
        throw OutputError(path, .withinInput(directory))
    }

    /// Refuses two outputs that would be one file, pipe or socket. A device takes both.
    public func refuse(same other: OutputFile) throws(OutputError) {
        if let place, let others = other.place, place.isSame(as: others) { throw OutputError(path, .isOutputTwice) }
        try refuse(descriptor: other.file.rawValue)
    }

    /// Refuses an output that would replace the file that standard output goes to, for a command that prints there, too.
    /// What is only added to a file loses nothing.
    public func refuseStandardOutput() throws(OutputError) {
        if case .named = target { try refuse(descriptor: STDOUT_FILENO) }
    }

    /// Refuses an output under this name, which the command writes something else to.
    public func refuse(output path: ByteString) throws(OutputError) {
        guard let place, case .name(let other, _)? = try? OutputPlace(path), place.isSame(as: other) else { return }
        throw OutputError(self.path, .isOutputTwice)
    }

    private func refuse(descriptor: Int32) throws(OutputError) {
        var other = stat()
        guard faultline_fstat(descriptor, &other) == 0, [S_IFREG, S_IFIFO, S_IFSOCK].contains(other.st_mode & S_IFMT)
        else { return }
        var own = stat()
        let isSame =
            switch target {
            case .through: faultline_fstat(file.rawValue, &own) == 0 && own.isSame(as: other)
            case .appended, .named: replaced?.isSame(as: other) ?? false
            }
        if isSame { throw OutputError(path, .isOutputTwice) }
    }

    /// The file whose content goes.
    private var replaced: stat? {
        switch target {
        case .through: return nil
        case .named(_, _, let replaced): return replaced
        case .appended:
            var status = stat()
            return fstat(file.rawValue, &status) == 0 ? status : nil
        }
    }

    private var place: OutputName? {
        switch target {
        case .through: nil
        case .appended(let place, _), .named(let place, _, _): place
        }
    }
}
