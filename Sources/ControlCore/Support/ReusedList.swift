// A list whose memory stays when it is emptied, without the cost that an array's own removal has.

/// A list that is filled again and again.
struct ReusedList<Element> {
  private var storage: [Element] = []
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }
  var indices: Range<Int> { 0..<count }

  subscript(index: Int) -> Element { storage[index] }

  /// Empties it; what it held is kept until it is overwritten.
  mutating func removeAll() { count = 0 }

  mutating func append(_ element: Element) {
    if count < storage.count { storage[count] = element } else { storage.append(element) }
    count += 1
  }
}
