// A node, and how much of the store a guest may take.

/// One node of the tree.
///
/// Nodes stand in one table by their whole names; `children` keeps the names below in the order of
/// their making, as a listing shows them.
struct StoreNode {
  var value: Bytes = []
  var permissions: StorePermissions
  var children: [Bytes] = []
  /// Bytes of all children's names with their zero bytes.
  var childrenSize = 0
  /// When it was last changed; counts changes of the whole store.
  var generation: UInt64 = 0

  mutating func add(_ child: Bytes) {
    children.append(child)
    childrenSize += child.count + 1
  }
  mutating func remove(_ child: Bytes) {
    guard let index = children.firstIndex(of: child) else { return }
    children.remove(at: index)
    childrenSize -= child.count + 1
  }

  /// What it counts against ``StoreQuotas/nodeSize``: a record of xenstored's database.
  var size: Int { 24 + 8 * permissions.count + value.count + childrenSize }
}

/// Limits for each domain other than the control domain; the numbers are xenstored's own.
public struct StoreQuotas: Sendable {
  /// Nodes that a domain owns.
  public var nodes = 1000
  /// Watches of a domain; xenstored lets one more through, and so do we.
  public var watches = 128
  /// Transactions of a domain at once, and one more likewise.
  public var transactions = 10
  /// Bytes of a node: value, names of children, permissions and 24 more.
  public var nodeSize = 2048
  /// Entries in the permissions of a node.
  public var permissions = 5
  /// Bytes of all nodes that a domain owns, names included, beyond which it makes no more.
  public var bytes = 1 << 20
  /// Nodes that a transaction looks at.
  public var transactionNodes = 1024
  /// Bytes of those nodes, names included, beyond which it looks at no more.
  public var transactionBytes = 1 << 18
  /// Bytes of answers that may wait for a client before its next request is read.
  public var waitingAnswers = 8192
  /// Bytes of watch events that may wait for a client before they are gathered.
  public var waitingEvents = 65536

  /// The usual limits.
  public init() {}
}
