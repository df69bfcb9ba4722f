import Targets

/// Whether untrusted states can be recovered in a sandbox on this machine.
package struct SandboxDiagnosis: Hashable, Sendable, Encodable {
    package var requirements: [Requirement]

    /// Whether the sandbox works: it needs a mount namespace; Landlock is an optional addition.
    package var works: Bool { requirements[0].isMet }

    private enum Key: String, CodingKey { case works, requirements }

    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encode(works, forKey: .works)
        try fields.encode(requirements, forKey: .requirements)
    }
}

extension Doctor {
    package func sandbox() -> SandboxDiagnosis {
        let trial = host.trySandbox()
        return SandboxDiagnosis(requirements: [mountNamespace(trial), landlock(trial)])
    }

    private func mountNamespace(_ trial: SandboxTrial) -> Requirement {
        let name = "mount namespace"
        switch trial.layers.namespace {
        case .mount?: return Requirement(name, met: true, "as root; all but the state is read-only")
        case .user?: return Requirement(name, met: true, "in a user namespace; all but the state is read-only")
        case nil:
            let allowed = namespaces()
            guard allowed.isMet else { return Requirement(name, met: false, allowed.finding, remedy: allowed.remedy) }
            return Requirement(
                name, met: false, trial.obstacle ?? "it was not tried",
                remedy: "sudo faultline …    # in a container: docker run --cap-add SYS_ADMIN --security-opt "
                    + "apparmor=unconfined …; mount_setattr takes Linux 5.12")
        }
    }

    private func landlock(_ trial: SandboxTrial) -> Requirement {
        let abi = trial.layers.landlock
        return Requirement(
            "Landlock", met: abi > 0,
            abi > 0
                ? "ABI \(abi); FIFOs\(abi >= 6 ? ", signals" : "") and ptrace, too"
                : "not in this kernel, or not switched on",
            remedy: "boot Linux 5.19 or later with landlock among lsm=")
    }
}
