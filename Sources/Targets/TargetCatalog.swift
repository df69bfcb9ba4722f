import Bytes
import Engine
import Glibc

/// Looks up targets: built-in ones by name, others by the path of their manifest.
package struct TargetCatalog: Sendable {
    /// The built-in targets, driven by the program `faultline-target`.
    package let builtIn: [Target]
    /// The path of `faultline-target`.
    package let driver: ByteString

    /// - Parameter driver: the path of `faultline-target`.
    package init(driver: ByteString) {
        self.driver = driver
        builtIn = BuiltInManifests.all.map { name, text in
            do {
                var target = try Manifest.target(Array(text.utf8), file: ByteString("built-in manifest \(name)"))
                for path in [\Target.workload, \Target.recover] where target[keyPath: path].first == "faultline-target"
                {
                    target[keyPath: path][0] = driver
                }
                return target
            } catch {
                preconditionFailure("\(error)")
            }
        }
    }

    /// A catalog that uses the driver beside the running program.
    package static func besideThisProgram() throws(TargetError) -> TargetCatalog {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes {
            readlink("/proc/self/exe", $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
        }
        guard count > 0 else { throw .system("readlink", "/proc/self/exe") }
        let slash = buffer[..<count].lastIndex(of: UInt8(ascii: "/")) ?? 0
        let driver = ByteString(buffer[..<slash] + Array("/faultline-target".utf8))
        guard driver.withCString({ access($0, X_OK) }) == 0 else { throw .driverMissing(path: driver) }
        return TargetCatalog(driver: driver)
    }

    /// The target for `reference`: the path of a manifest if it contains a `/` or ends in `.yaml` or `.yml`, otherwise
    /// a name.
    package func target(_ reference: String) throws(TargetError) -> Target {
        if reference.contains("/") || reference.hasSuffix(".yaml") || reference.hasSuffix(".yml") {
            return try Manifest.target(at: ByteString(reference))
        }
        guard let target = builtIn.first(where: { $0.name == reference }) else {
            throw .unknownTarget(name: reference, known: builtIn.map(\.name))
        }
        return target
    }
}
