import Bytes
import Glibc
import Platform

extension Target {
    /// Throws if a program or script of the commands is missing, in any configuration. Programs with a `/` and scripts
    /// are relative to the manifest's directory.
    package func checkCommands() throws(TargetError) {
        var missing: [MissingFile] = []
        for configuration in configurations {
            for (name, command) in configuration.namedCommands {
                for file in command.missingFiles(as: name) where !missing.contains(file) { missing.append(file) }
            }
        }
        if !missing.isEmpty { throw .commandsMissing(missing) }
    }
}

extension Command {
    /// The suffixes of scripts.
    private static let scriptSuffixes = [
        ".py", ".sh", ".bash", ".pl", ".rb", ".js", ".mjs", ".lua", ".php", ".jar", ".tcl",
    ]

    fileprivate func missingFiles(as name: String) -> [MissingFile] {
        var programs = arguments.prefix(1)
        // env runs the first word that is neither an option nor a variable.
        if programs.first.map({ $0 == "env" || $0.bytes.ends(with: "/env") }) == true {
            programs += arguments.dropFirst().drop {
                $0.bytes.first == UInt8(ascii: "-") || $0.bytes.contains(UInt8(ascii: "="))
            }
            .prefix(1)
        }
        // An option, and a list of paths such as a class path, is no script.
        let scripts = arguments.dropFirst().filter { word in
            word.bytes.first != UInt8(ascii: "-") && !word.bytes.contains(UInt8(ascii: ":"))
                && Self.scriptSuffixes.contains { word.bytes.ends(with: $0) }
        }
        return programs.compactMap { missing($0, mode: X_OK, name) }
            + scripts.compactMap { missing($0, mode: R_OK, name) }
    }

    private func missing(_ word: ByteString, mode: Int32, _ name: String) -> MissingFile? {
        if mode == X_OK, !word.bytes.contains(UInt8(ascii: "/")) {
            var command = self
            command.arguments = [word]
            if (try? command.executable()) != nil { return nil }
            return MissingFile(command: name, name: word, directory: nil, errno: ENOENT)
        }
        let path = word.bytes.first == UInt8(ascii: "/") ? word : directory?.appending(component: word) ?? word
        var status = stat()
        guard path.withCString({ stat($0, &status) }) == 0 else {
            return MissingFile(command: name, name: word, directory: directory, errno: errno)
        }
        let isDirectory = status.st_mode & S_IFMT == S_IFDIR
        guard !isDirectory, path.withCString({ access($0, mode) }) == 0 else {
            let reason = isDirectory ? EISDIR : errno
            return MissingFile(command: name, name: word, directory: directory, errno: reason)
        }
        return nil
    }
}

extension [UInt8] {
    fileprivate func ends(with text: String) -> Bool { suffix(text.utf8.count).elementsEqual(text.utf8) }
}
