/// How a user wants guests to be. The kernel is looked for only when a guest is needed.
package struct GuestConfiguration: Sendable {
    /// A package or release in the cache, or a directory; nil for the newest in the cache.
    package var kernelName: String?
    package var memoryMebibytes = 1024
    package var accelerator = GuestMachine.Accelerator.auto
    package var deadlineSeconds = 600

    package init() {}

    /// The machine. Throws if there is no such kernel.
    package func machine() throws(GuestError) -> GuestMachine {
        let kernel: GuestKernel
        if let kernelName { kernel = try .named(kernelName) } else { kernel = try .newest() }
        var machine = GuestMachine(kernel)
        machine.memoryMebibytes = memoryMebibytes
        machine.accelerator = accelerator
        machine.deadlineSeconds = deadlineSeconds
        return machine
    }
}
