/// The matrix that runs if no file is given: harness/matrices/default.yaml, embedded by the build so that an installed
/// program has it.
package enum DefaultMatrix {
    package static var text: [UInt8] { PackageResources.default_yaml }
}
