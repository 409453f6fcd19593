// The commands as the argument parser describes them in its dump for tools.

import Foundation

/// A command with what is under it.
struct CommandDescription: Decodable {
  let commandName: String
  let superCommands: [String]?
  let abstract: String?
  let discussion: String?
  let shouldDisplay: Bool?
  let subcommands: [CommandDescription]?
  let defaultSubcommand: String?
  let arguments: [ArgumentDescription]?

  /// Reads the dump.
  init(dump: String) throws {
    struct Dump: Decodable { let command: CommandDescription }
    self = try JSONDecoder().decode(Dump.self, from: Data(dump.utf8)).command
  }

  /// The words that call it.
  var words: [String] { (superCommands ?? []) + [commandName] }

  /// Those under it that users have need of.
  var shownSubcommands: [CommandDescription] {
    (subcommands ?? []).filter { $0.shouldDisplay ?? true && $0.commandName != "help" }
  }

  /// Its arguments in help.
  var shownArguments: [ArgumentDescription] {
    (arguments ?? []).filter { $0.shouldDisplay ?? true }
  }

  /// It and all commands under it.
  var all: [CommandDescription] { [self] + shownSubcommands.flatMap(\.all) }
}

/// An argument, option or flag.
struct ArgumentDescription: Decodable {
  struct Name: Decodable {
    let kind: String
    let name: String

    var spelled: String { kind == "long" ? "--\(name)" : "-\(name)" }
  }

  let kind: String
  let isOptional: Bool
  let isRepeating: Bool
  let shouldDisplay: Bool?
  let sectionTitle: String?
  let names: [Name]?
  let valueName: String?
  let defaultValue: String?
  let allValues: [String]?
  let abstract: String?

  var isPositional: Bool { kind == "positional" }

  /// Its value, where it takes one.
  var value: String? { kind == "flag" ? nil : valueName }
}
