// The templates that this program carries: templates/ and parts of Sources/ as they were when it was
// built. A file whose name ends in .stencil is rendered; every other one is taken as it is.

/// A file of templates/ or of Sources/.
struct EmbeddedFile: Sendable {
  /// From the repository's top.
  let path: String
  let text: String
}

/// Lookups in what is embedded.
enum Templates {
  /// The files below `folder`, with their paths from there.
  static func files(below folder: String) -> [EmbeddedFile] {
    EmbeddedTemplates.files.compactMap { file in
      guard file.path.hasPrefix(folder + "/") else { return nil }
      return EmbeddedFile(path: String(file.path.dropFirst(folder.count + 1)), text: file.text)
    }
  }

  /// Languages that drivers are there in.
  static let driverLanguages = ScaffoldLanguage.allCases.filter {
    $0 == .c || !files(below: "templates/driver-\($0.rawValue)").isEmpty
  }

  /// Languages that have a kernel's template.
  static let kernelLanguages = ScaffoldLanguage.allCases.filter {
    !files(below: "templates/kernel/\($0.rawValue)").isEmpty
  }
}
