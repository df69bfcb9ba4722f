import Bytes
import Glibc
import Model
import Oracle
import Platform

/// Parses a target manifest, a YAML file (docs/targets.md).
package struct Manifest {
    private static let keys = [
        "name", "description", "workload", "recover", "persistent", "contract", "contracts", "source", "environment",
        "parameters", "timeoutSeconds", "init", "check", "server", "user", "ignore", "detectsCorruption",
        "noticesDamage",
        "known",
    ]

    /// Reads the manifest at `path`. The target's commands run in the manifest's directory.
    package static func target(at path: ByteString) throws(TargetError) -> Target {
        let bytes = try read(path)
        do {
            var target = try target(bytes, file: path)
            let absolute = try path.absolutePath()
            let slash = absolute.bytes.lastIndex(of: UInt8(ascii: "/")) ?? 0
            target.directory = ByteString(absolute.bytes[..<max(1, slash)])
            target.manifest = Target.ManifestFile(path: absolute, text: bytes)
            return target
        } catch let error as YAMLError {
            throw .manifest(error)
        } catch let error as TargetError {
            throw error
        } catch {
            throw .manifest(YAMLError(file: path, line: nil, "\(error)"))
        }
    }

    /// Parses a manifest with this content.
    package static func target(_ text: [UInt8], file: ByteString) throws(YAMLError) -> Target {
        let root = try YAMLValue(text, file: file)
        let values = try root.mapping("a manifest", known: keys)
        func required(_ key: String) throws(YAMLError) -> YAMLValue {
            guard let value = values[key] else {
                throw YAMLError(file: file, line: nil, "the manifest needs a key \(key)")
            }
            return value
        }
        let parameters = try self.parameters(values["parameters"])
        let names = parameters.map(\.name)
        if ["server", "init", "check"].contains(where: { values[$0] != nil }),
            let name = names.first(where: StorePlace.names.contains)
        {
            throw YAMLError(
                file: file, line: values["parameters"]?.line, "{\(name)} is set by faultline: take another name")
        }
        let known = names + (values["server"] == nil ? [] : ["port", "socket", "tmp"])
        var target = Target(
            name: try name(required("name")),
            description: try values["description"].map { (value) throws(YAMLError) in
                try oneLine(value, "description")
            } ?? "",
            source: try values["source"].map { (value) throws(YAMLError) in try oneLine(value, "source") } ?? "",
            contract: try values["contract"].map(contract) ?? .durable,
            workload: try command(required("workload"), "workload", known),
            recover: try command(required("recover"), "recover", known))
        target.parameters = parameters
        target.isPersistent = try values["persistent"]?.flag("persistent") ?? false
        target.detectsCorruption = try detectsCorruption(values)
        target.timeoutSeconds = try values["timeoutSeconds"]?.integer("timeoutSeconds", in: 1...86_400) ?? 30
        target.contractExceptions = try exceptions(values["contracts"], parameters)
        target.initialise = try values["init"].map { (value) throws(YAMLError) in
            try command(value, "init", names + ["dir"])
        }
        target.check = try values["check"].map { (value) throws(YAMLError) in
            try command(value, "check", known + ["dir"])
        }
        target.user = try values["user"].map { (value) throws(YAMLError) in try name(of: value) }
        target.ignored = try values["ignore"].map(patterns) ?? []
        target.server = try values["server"].map { (value) throws(YAMLError) in
            try ServerSettings(value, names + StorePlace.names)
        }
        target.known =
            try values["known"].map { (value) throws(YAMLError) in
                try KnownFinding.list(value, of: parameters)
            } ?? []
        target.environment = try environment(values["environment"], known)
        return target
    }

    static func environment(
        _ value: YAMLValue?, _ known: [String]
    ) throws(YAMLError) -> [ByteString: ByteString] {
        var environment: [ByteString: ByteString] = [:]
        for (key, value) in try value?.pairs("environment") ?? [] {
            guard !key.isEmpty, !key.contains("=") else { throw value.error("'\(key)' is not a valid variable name") }
            guard !key.hasPrefix("FAULTLINE_") else { throw value.error("\(key) is set by faultline") }
            environment[ByteString(key)] = try argument(value, "environment: \(key)", known)
        }
        return environment
    }

    /// The name of a user.
    private static func name(of value: YAMLValue) throws(YAMLError) -> String {
        let name = try value.text("user")
        guard !name.isEmpty, name.utf8.count <= 32, !name.contains(where: { $0.isWhitespace || $0 == ":" || $0 == "/" })
        else {
            throw value.error("user must be the name of a user of the machine, not '\(name)'")
        }
        return name
    }

    /// The patterns of `ignore`.
    private static func patterns(_ value: YAMLValue) throws(YAMLError) -> [Glob] {
        var patterns: [Glob] = []
        for item in try value.oneOrMore("ignore") {
            let text = try item.text("a pattern of ignore")
            do throws(GlobError) { patterns.append(try Glob(parsing: ByteString(text))) } catch {
                throw item.error("'\(text)' is not a pattern of a path: \(error)")
            }
        }
        return patterns
    }

    /// `noticesDamage` is the old name of the key.
    private static func detectsCorruption(_ values: [String: YAMLValue]) throws(YAMLError) -> Bool {
        let (key, old) = ("detectsCorruption", "noticesDamage")
        if values[key] != nil, let value = values[old] {
            throw value.error("\(old) is the old name of \(key): use only one of them")
        }
        guard let value = values[key] ?? values[old] else { return false }
        return try value.flag(values[key] == nil ? old : key)
    }

    private static func name(_ value: YAMLValue) throws(YAMLError) -> String {
        let name = try value.text("name")
        let isPlain = name.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
                || byte == UInt8(ascii: "_")
        }
        guard isPlain, (1...40).contains(name.utf8.count), name.first != "-" else {
            throw value.error(
                "a name has 1 to 40 characters of a-z, 0-9, - and _, and does not start with -; not '\(name)'")
        }
        return name
    }

    private static func oneLine(_ value: YAMLValue, _ field: String) throws(YAMLError) -> String {
        let text = try value.text(field)
        guard !text.contains(where: \.isNewline), text.utf8.count <= 500 else {
            throw value.error("\(field) must be one line of at most 500 bytes")
        }
        return text
    }

    private static func contract(_ value: YAMLValue) throws(YAMLError) -> Contract {
        let name = try value.text("contract")
        guard let contract = Contract(named: name) else {
            let known = Contract.named.map(\.name).joined(separator: ", ")
            throw value.error("there is no contract \(name); contracts: \(known)")
        }
        return contract
    }

    private static func parameters(_ value: YAMLValue?) throws(YAMLError) -> [Parameter] {
        var parameters: [Parameter] = []
        for (name, value) in try value?.pairs("parameters") ?? [] {
            guard isParameterName(name[...]) else {
                throw value.error("a parameter's name has letters, digits and _, and starts with a letter: '\(name)'")
            }
            var values: [String] = []
            for item in try value.oneOrMore(name) {
                let text = try item.text("a value of \(name)")
                guard !values.contains(text) else { throw item.error("\(name) has the value \(text) twice") }
                values.append(text)
            }
            guard !values.isEmpty else { throw value.error("\(name) needs at least one value") }
            parameters.append(Parameter(name, values))
        }
        return parameters
    }

    private static func exceptions(
        _ value: YAMLValue?, _ parameters: [Parameter]
    ) throws(YAMLError) -> [Target.ContractException] {
        var exceptions: [Target.ContractException] = []
        for item in try value?.list("contracts") ?? [] {
            let fields = try item.mapping("an entry of contracts", known: ["when", "contract"])
            guard let when = fields["when"], let name = fields["contract"] else {
                throw item.error("an entry of contracts needs when: {parameter: value} and contract: NAME")
            }
            exceptions.append(
                Target.ContractException(settings: try settings(when, parameters), contract: try contract(name)))
        }
        return exceptions
    }

    /// The settings of a key `when`.
    static func settings(_ when: YAMLValue, _ parameters: [Parameter]) throws(YAMLError) -> [Setting] {
        var settings: [Setting] = []
        for (key, value) in try when.pairs("when") {
            guard let parameter = parameters.first(where: { $0.name == key }) else {
                throw value.error("there is no parameter \(key)")
            }
            let text = try value.text(key)
            guard parameter.values.contains(text) else {
                throw value.error(
                    "\(key) has no value \(text); its values: \(parameter.values.joined(separator: ", "))")
            }
            settings.append(Setting(name: key, value: text))
        }
        return settings
    }

    // MARK: - Commands

    static func command(
        _ value: YAMLValue, _ field: String, _ parameters: [String]
    ) throws(YAMLError) -> [ByteString] {
        var arguments: [ByteString] = []
        for item in try value.list(field) { arguments.append(try argument(item, field, parameters)) }
        guard let program = arguments.first, !program.isEmpty else {
            throw value.error("\(field) must name a program first, as in [./my-store, \(field)]")
        }
        return arguments
    }

    static func argument(
        _ value: YAMLValue, _ field: String, _ parameters: [String]
    ) throws(YAMLError) -> ByteString {
        let text = try value.text("an argument of \(field)")
        for piece in text.split(separator: "{", omittingEmptySubsequences: false).dropFirst() {
            guard let end = piece.firstIndex(of: "}"), isParameterName(piece[..<end]) else { continue }
            let name = String(piece[..<end])
            guard !parameters.contains(name) else { continue }
            let known = parameters.isEmpty ? "it has none" : "known here: \(parameters.joined(separator: ", "))"
            throw value.error("{\(name)} in \(field) is not a parameter of this manifest; \(known)")
        }
        return ByteString(text)
    }

    private static func isParameterName(_ name: Substring) -> Bool {
        guard let first = name.utf8.first, name.utf8.count <= 40 else { return false }
        func isLetter(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        }
        return isLetter(first)
            && name.utf8.allSatisfy { byte in
                isLetter(byte) || byte == UInt8(ascii: "_")
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            }
    }

    // MARK: - The file

    private static func read(_ path: ByteString) throws(TargetError) -> [UInt8] {
        // O_NONBLOCK, so that a FIFO does not block.
        let file = try TargetError.naming("open", path) { () throws(Errno) in
            try SharedDescriptor.open(path, O_RDONLY | O_NONBLOCK)
        }
        var status = stat()
        guard fstat(file.rawValue, &status) == 0 else { throw .system("fstat", path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .manifest(YAMLError(file: path, line: nil, "not a regular file"))
        }
        // Reads past the limit, so that the parser rejects a file that is too large.
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= YAMLValue.limitBytes {
            let count = Glibc.read(file.rawValue, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system("read", path) }
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        return bytes
    }
}
