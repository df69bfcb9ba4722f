import Bytes
import CPlatform
import Glibc

/// Checks an output against the other inputs and outputs of a command.
extension OutputFile {
    /// Throws when the output would replace one of these input files. Ignores missing ones.
    public func requireNot(inputs: [ByteString]) throws(OutputError) {
        guard let own = replaced else { return }
        for input in inputs {
            var status = stat()
            guard input.withCString({ stat($0, &status) }) == 0, status.isSame(as: own) else { continue }
            throw OutputError(path, .isInput)
        }
    }

    /// Throws when the output is directly in `directory`, which the command reads.
    public func requireNot(inside directory: ByteString) throws(OutputError) {
        var (own, other) = (stat(), stat())
        guard let place, faultline_fstat(place.parent, &own) == 0,
            directory.withCString({ stat($0, &other) }) == 0, own.isSame(as: other)
        else { return }
        throw OutputError(path, .withinInput(directory))
    }

    /// Throws when both outputs are the same file, pipe or socket. The same device is allowed.
    public func requireNot(sameAs other: OutputFile) throws(OutputError) {
        if let place, let others = other.place, place.isSame(as: others) { throw OutputError(path, .isOutputTwice) }
        try requireNot(descriptor: other.file.rawValue)
    }

    /// Throws when the output would replace the file that standard output is redirected to. Appending is allowed.
    public func requireNotStandardOutput() throws(OutputError) {
        if case .named = target { try requireNot(descriptor: STDOUT_FILENO) }
    }

    /// Throws when `path`, another output of the command, has the same name.
    public func requireNot(output path: ByteString) throws(OutputError) {
        guard let place, case .name(let other, _)? = try? ResolvedOutput(path), place.isSame(as: other) else { return }
        throw OutputError(self.path, .isOutputTwice)
    }

    private func requireNot(descriptor: Int32) throws(OutputError) {
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

    /// The status of the file whose content is replaced or extended.
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
