// Typed access to a JSON document, with a located error where it is not as expected.

/// A document that was read, and its typed members.
struct LocatedDocument {
  let root: LocatedJSON
  private let parser: LocatedJSONParser

  /// Reads the file and checks the `schema` member of its root.
  init(path: String, bytes: [UInt8], schema: String) throws(GateFileError) {
    var parser = LocatedJSONParser(path: path, bytes: bytes)
    root = try parser.parse()
    self.parser = parser
    let found = try member("schema", of: root)
    guard try string(found) == schema else {
      throw parser.fault("\"schema\": \"\(schema)\"", found: found.kind, at: found.offset)
    }
  }

  func fault(_ expected: String, at value: LocatedJSON) -> GateFileError {
    parser.fault(expected, found: value.kind, at: value.offset)
  }

  /// The member `key`; `null` counts as absent.
  func optional(_ key: String, of value: LocatedJSON) throws(GateFileError) -> LocatedJSON? {
    guard case .object(let members) = value.content else { throw fault("an object", at: value) }
    guard let member = members.last(where: { $0.key == key })?.value else { return nil }
    if case .null = member.content { return nil }
    return member
  }

  func member(_ key: String, of value: LocatedJSON) throws(GateFileError) -> LocatedJSON {
    guard let member = try optional(key, of: value) else {
      throw fault("an object with \"\(key)\"", at: value)
    }
    return member
  }

  func array(_ value: LocatedJSON) throws(GateFileError) -> [LocatedJSON] {
    guard case .array(let items) = value.content else { throw fault("an array", at: value) }
    return items
  }

  func string(_ value: LocatedJSON) throws(GateFileError) -> String {
    guard case .string(let text) = value.content else { throw fault("a string", at: value) }
    return text
  }

  /// The member `key`, `true` or `false`.
  func flag(_ key: String, of value: LocatedJSON) throws(GateFileError) -> Bool {
    let member = try member(key, of: value)
    guard case .bool(let flag) = member.content else { throw fault("true or false", at: member) }
    return flag
  }

  /// A whole number that is not negative.
  func count(_ value: LocatedJSON) throws(GateFileError) -> Int {
    guard case .number(let text) = value.content, let number = Int(text), number >= 0 else {
      throw fault("a whole number", at: value)
    }
    return number
  }

  /// An address, written as a string of hexadecimal digits after `0x`.
  func address(_ value: LocatedJSON) throws(GateFileError) -> UInt64 {
    guard case .string(let text) = value.content, text.hasPrefix("0x"),
      !text.dropFirst(2).hasPrefix("+"), let number = UInt64(text.dropFirst(2), radix: 16)
    else { throw fault("an address such as \"0xffffffff81000000\"", at: value) }
    return number
  }
}
