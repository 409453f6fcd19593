// Single values of a PORT.yaml: paths, numbers, patterns.

import ABISchema
import Foundation
import Yams

extension PortReader {
  /// A path, which begins at the file's folder unless it is absolute.
  func path(_ map: MapReader, _ key: String, required: Bool = false) -> PortPath? {
    guard let text = map.string(key, required: required) else { return nil }
    guard !text.utf8.contains(0) else {
      sink.error(map.position(of: key), "expected a path for `\(key)`, found a zero byte in it")
      return nil
    }
    return PortPath(
      text: text, path: text.hasPrefix("/") ? text : folder + text,
      position: map.position(of: key))
  }

  /// Text that may be empty.
  func line(_ map: MapReader, _ key: String) -> String? {
    guard let node = map.node(key) else { return nil }
    guard case .scalar(let scalar) = node else {
      sink.error(map.position(of: key), "expected text for `\(key)`, found \(node.kindName)")
      return nil
    }
    return scalar.string
  }

  /// A whole number.
  func integer(_ map: MapReader, _ key: String, in range: ClosedRange<Int>) -> Int? {
    guard let node = map.node(key) else { return nil }
    guard case .scalar(let scalar) = node, let number = Int(scalar.string), range.contains(number)
    else {
      sink.error(
        map.position(of: key),
        "expected a number from \(range.lowerBound) to \(range.upperBound) for `\(key)`, found "
          + node.kindName)
      return nil
    }
    return number
  }

  /// A number with decimals.
  func number(_ map: MapReader, _ key: String, in range: ClosedRange<Double>) -> Double? {
    guard let node = map.node(key) else { return nil }
    guard case .scalar(let scalar) = node, let number = Double(scalar.string),
      range.contains(number)
    else {
      sink.error(
        map.position(of: key),
        "expected a number from \(range.lowerBound) to \(range.upperBound) for `\(key)`, found "
          + node.kindName)
      return nil
    }
    return number
  }

  /// A pattern: text for a regular expression, or a mapping with `text` for text as it stands.
  func pattern(_ node: Node, _ key: String) -> LinePattern? {
    let place = node.position(in: file)
    if case .mapping = node {
      let fields = MapReader(
        node, what: "`\(key)`", keys: PortKeys.pattern, file: file, sink: sink)
      return fields?.string("text", required: true).map { LinePattern($0, isLiteral: true) }
    }
    guard case .scalar(let scalar) = node, !scalar.string.isEmpty else {
      sink.error(
        place, "expected a regular expression for `\(key)`, found \(node.kindName)",
        hint: "{text: …} for text as it stands")
      return nil
    }
    guard (try? Regex(scalar.string)) != nil else {
      sink.error(
        place, "expected a regular expression for `\(key)`, found `\(scalar.string.prefix(40))`",
        hint: "{text: …} for text as it stands")
      return nil
    }
    return LinePattern(scalar.string)
  }

  /// One pattern.
  func pattern(_ map: MapReader, _ key: String) -> LinePattern? {
    map.node(key).flatMap { pattern($0, key) }
  }

  /// A list of patterns; one alone may stand without the list.
  func patterns(_ map: MapReader, _ key: String) -> [LinePattern] {
    guard let node = map.node(key) else { return [] }
    guard case .sequence = node else { return pattern(node, key).map { [$0] } ?? [] }
    return map.list(key).compactMap { pattern($0, key) }
  }
}
