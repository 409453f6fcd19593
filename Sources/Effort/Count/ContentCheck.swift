// Which of the pairs differ at all. Most files of a port are those of its base.

import Foundation

/// Tells changed pairs from equal ones.
struct ContentCheck {
  let bench: Workbench
  let base: TreeContents
  let port: TreeContents

  /// The pairs whose contents differ, in order.
  func changed(_ pairs: [FilePair]) async throws(EffortError) -> [FilePair] {
    switch (base.side, port.side) {
    case (.revision, .revision):
      return pairs.filter { $0.base?.object != $0.port?.object }
    case (.folder(_, let old), .folder(_, let new)):
      return try await differing(pairs, old, new)
    default:
      return try await mixed(pairs)
    }
  }

  /// Shares of the reading; as many are at work at once as there are processors.
  private static let readers = 8

  private func differing(
    _ pairs: [FilePair], _ old: String, _ new: String
  ) async throws(EffortError) -> [FilePair] {
    do {
      let numbers = try await withThrowingTaskGroup(of: [Int].self) { group in
        for share in 0..<Self.readers {
          group.addTask {
            let first = FileReader()
            let second = FileReader()
            var found: [Int] = []
            for number in stride(from: share, to: pairs.count, by: Self.readers) {
              guard let left = pairs[number].base, let right = pairs[number].port else { continue }
              let isSame =
                try left.size == right.size
                && Self.same(
                  first, second, FolderTree.absolute(old, left), FolderTree.absolute(new, right))
              if !isSame { found.append(number) }
            }
            return found
          }
        }
        var all: [Int] = []
        for try await found in group { all += found }
        return all.sorted()
      }
      return numbers.map { pairs[$0] }
    } catch let error as EffortError {
      throw error
    } catch {
      throw .git(command: "compare", message: "\(error)")
    }
  }

  private static func same(
    _ first: FileReader, _ second: FileReader, _ left: [CChar], _ right: [CChar]
  ) throws(EffortError) -> Bool {
    var fault: EffortError?
    let result = try first.read(left) { one -> Bool in
      do throws(EffortError) {
        return try second.read(right) { two in
          guard let one, let two, one.count == two.count else { return false }
          guard let start = one.baseAddress, let other = two.baseAddress else { return true }
          return memcmp(start, other, one.count) == 0
        }
      } catch {
        fault = error
        return false
      }
    }
    if let fault { throw fault }
    return result
  }

  /// A folder and a revision: git names the folder's files.
  private func mixed(_ pairs: [FilePair]) async throws(EffortError) -> [FilePair] {
    var pairs = pairs
    for (isBase, side) in [(true, base), (false, port)] {
      guard case .folder(_, let root) = side.side else { continue }
      let numbers = pairs.indices.filter {
        let entry = isBase ? pairs[$0].base : pairs[$0].port
        return entry.map { $0.size <= TextFacts.largest } ?? false
      }
      let names = try await bench.names(
        of: numbers.compactMap { isBase ? pairs[$0].base : pairs[$0].port }, in: root,
        stores: false)
      for (number, name) in zip(numbers, names) {
        if isBase { pairs[number].base?.object = name } else { pairs[number].port?.object = name }
      }
    }
    return pairs.filter { $0.base?.object != $0.port?.object }
  }
}
