/// A list with one owner, for the inner loop of a walk: what an array asks at each change, whether anyone shares it, is
/// never asked. Places are checked in debug builds alone.
struct OwnedList<Element>: ~Copyable {
    private var base: UnsafeMutablePointer<Element>
    private var capacity: Int
    private(set) var count: Int

    init(_ elements: [Element] = []) {
        capacity = max(16, elements.count)
        count = elements.count
        base = .allocate(capacity: capacity)
        for (place, element) in elements.enumerated() { (base + place).initialize(to: element) }
    }

    deinit {
        base.deinitialize(count: count)
        base.deallocate()
    }

    subscript(_ place: Int) -> Element {
        @inline(__always) get {
            assert(place >= 0 && place < count)
            return base[place]
        }
        @inline(__always) set {
            assert(place >= 0 && place < count)
            base[place] = newValue
        }
    }

    /// Everything in it, for as long as the list is not changed.
    var elements: UnsafeBufferPointer<Element> { UnsafeBufferPointer(start: base, count: count) }

    @inline(__always)
    mutating func append(_ element: Element) {
        if count == capacity { grow() }
        (base + count).initialize(to: element)
        count += 1
    }

    @inline(__always)
    mutating func popLast() -> Element? {
        guard count > 0 else { return nil }
        count -= 1
        return (base + count).move()
    }

    private mutating func grow() {
        let new = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
        new.moveInitialize(from: base, count: count)
        base.deallocate()
        base = new
        capacity *= 2
    }
}
