/// Why an option cannot be given, or not this value of it. Options in its words are spelled as the place spells them where
/// it is shown.
package struct OptionProblem: Error, Hashable, Sendable {
    /// The option that is to be changed; nil where it is none of the scenario's.
    package var option: String?
    private var reason: Reason

    package init(_ option: String? = nil, _ reason: Reason) {
        self.option = option
        self.reason = reason
    }

    /// In the words of `place`.
    package func text(in place: OptionPlace) -> String { reason.text(in: place) }

    /// Words among which options stand: `"\(option: "cut-at") asks for cuts"`.
    package struct Reason: Hashable, Sendable, ExpressibleByStringInterpolation {
        fileprivate enum Part: Hashable, Sendable {
            case words(String)
            case option(String)
        }

        fileprivate var parts: [Part]

        package func text(in place: OptionPlace) -> String {
            parts.map { part in
                switch part {
                case .words(let words): words
                case .option(let name): place.spelling(of: name)
                }
            }.joined()
        }

        package init(stringLiteral words: String) { parts = [.words(words)] }

        package static func + (left: Reason, right: Reason) -> Reason {
            var sum = left
            sum.parts += right.parts
            return sum
        }

        package init(stringInterpolation parts: Parts) { self.parts = parts.parts }

        package struct Parts: StringInterpolationProtocol {
            fileprivate var parts: [Part] = []

            package init(literalCapacity: Int, interpolationCount: Int) {}

            package mutating func appendLiteral(_ words: String) { parts.append(.words(words)) }
            package mutating func appendInterpolation(option name: String) { parts.append(.option(name)) }
            package mutating func appendInterpolation(_ value: some Any) { parts.append(.words("\(value)")) }
        }
    }
}
