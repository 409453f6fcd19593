// What must always hold of the tree; XS_CONTROL's "check", the tests and the fuzzer ask.

extension Store {
  /// Whether every node is listed above it, every listed node is there, and all counts are right.
  public var isConsistent: Bool {
    var counts: [DomainID: Int] = [:]
    var bytes: [DomainID: Int] = [:]
    for (path, node) in nodes {
      counts[node.permissions.first.domain, default: 0] += 1
      bytes[node.permissions.first.domain, default: 0] += node.size + path.bytes.count
      if let parent = path.parent {
        guard let above = nodes[parent],
          above.children.filter({ $0 == path.leaf }).count == 1
        else { return false }
      }
      var size = 0
      for child in node.children {
        size += child.count + 1
        guard nodes[path.child(child)] != nil else { return false }
      }
      guard size == node.childrenSize, node.generation <= generation else { return false }
    }
    for (domain, count) in bytes where ownedBytes[domain, default: 0] != count { return false }
    for (domain, count) in counts where owned[domain, default: 0] != count { return false }
    for (domain, count) in owned where counts[domain, default: 0] != count { return false }
    return true
  }
}
