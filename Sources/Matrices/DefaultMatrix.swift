/// The matrix that runs when no file is named: harness/matrices/default.yaml, which the build embeds, so that an installed
/// program has it too.
package enum DefaultMatrix {
    package static var text: [UInt8] { PackageResources.default_yaml }
}
