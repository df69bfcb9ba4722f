import FaultFS
import Model

/// The condition for one power cut.
package struct CutPlacement {
    package enum Trigger: Hashable {
        /// At this crash point of the trace.
        case point(CrashPoint)
        /// When this rule fires.
        case rule(Rule)
    }

    package var trigger: Trigger
    /// The drawn number in the trigger, from 1; nil if the user chose the place.
    private var number: UInt64?

    /// Exactly where the rule fires.
    package init(_ rule: Rule) {
        trigger = .rule(rule)
    }

    /// Before or after the `number`-th operation of this kind.
    package init(_ kind: Injection.OtherKind, number: AtLeastOne, _ side: Injection.CrashSide) {
        trigger = .rule(Rule(.inject(.other(kind, .crash(side)), .nth(number))))
        self.number = number.value
    }

    /// After this many events, at least one.
    package init(event: Int) {
        trigger = .point(CrashPoint(.after, event, .events))
        number = UInt64(event)
    }

    /// An earlier place of the same kind; nil if there is none.
    package func earlier() -> CutPlacement? {
        guard let number, number > 1 else { return nil }
        switch trigger {
        case .point: return CutPlacement(event: Int(number / 2))
        case .rule(let rule):
            guard case .inject(.other(let kind, .crash(let side)), _) = rule.action else { return nil }
            return AtLeastOne(number / 2).map { CutPlacement(kind, number: $0, side) }
        }
    }
}

extension CutPlacement: CustomStringConvertible {
    package var description: String {
        switch trigger {
        case .point(let point): "\(point.side.rawValue) \(point.number) \(point.counted.rawValue)"
        case .rule(let rule): rule.description
        }
    }
}
