/// The house's rules about its files. Each answers what breaks it, in words; nothing means that it holds.
struct House {
    /// The modules from the bottom to the top.
    var order: [String]

    /// The modules in the order in which a manifest lists its targets; tests come after and are left out.
    init(manifest: String) {
        order = manifest.matches(of: #/\.(?:target|systemLibrary|executableTarget)\(\s*name: "(?<name>[\w-]+)"/#)
            .map { String($0.name) }
    }

    /// What the toolchain brings. Everything else that is imported is a module of the house or named here.
    private static let toolchain: Set = ["Swift", "Glibc", "Foundation", "FoundationEssentials", "Synchronization"]
    private static let pure: Set = ["Bytes", "Model", "Oracle"]
    /// What computes and does nothing else is pure wherever it comes from: `import func Glibc.memcmp`.
    private static let pureDeclarations: Set = ["memchr", "memcmp", "memcpy", "memmove", "memset"]
    private static let withoutFoundation: Set = ["Platform", "Storage", "Engine", "Events", "FaultFS"]
    /// Who alone may import what.
    private static let reserved: [String: Set<String>] = [
        "ArgumentParser": ["faultline"],
        "CFuse": ["FaultFS"],
        "CSQLite": ["faultline-target"],
        "CYardsticks": ["Benchmarks"],
        "Crypto": ["Events", "Report"],
        "Mustache": ["Report"],
        "Yams": ["Targets"],
    ]

    func objections(toImportsOf file: SourceFile) -> [String] {
        guard let module = file.module else { return [] }
        guard let place = order.firstIndex(of: module) else {
            return ["\(file): the manifest has no target \(module)"]
        }
        return file.imports.compactMap { imported in
            objection(to: imported, in: module, at: place).map { "\(file): imports \(imported.module): \($0)" }
        }
    }

    private func objection(
        to import: (module: String, declaration: String?), in module: String, at place: Int
    ) -> String? {
        let imported = `import`.module
        if let allowed = Self.reserved[imported], !allowed.contains(module) {
            return "only \(allowed.sorted().joined(separator: ", ")) may"
        }
        if let target = order.firstIndex(of: imported) {
            return target < place ? nil : "imports point downward, and it is not below \(module)"
        }
        if Self.reserved[imported] != nil { return nil }
        guard Self.toolchain.contains(imported) else { return "neither a module of the house nor of the toolchain" }
        if Self.pure.contains(module), imported != "Synchronization", imported != "Swift" {
            let isPure = `import`.declaration.map(Self.pureDeclarations.contains) ?? false
            return isPure ? nil : "\(module) is pure"
        }
        if Self.withoutFoundation.contains(module), imported.hasPrefix("Foundation") {
            return "\(module) does without Foundation"
        }
        return nil
    }

    /// Long files hide more than one thing.
    static func objection(toLengthOf file: SourceFile) -> String? {
        file.lineCount > 400 ? "\(file): \(file.lineCount) lines; the most is 400" : nil
    }

    /// What was built or resolved does not belong in git.
    static func objections(toTracked paths: [String]) -> [String] {
        paths.filter { path in
            let parts = path.split(separator: "/")
            return parts.contains(".build") || parts.last == "Package.resolved"
        }.map { "\($0) is in git" }
    }
}
