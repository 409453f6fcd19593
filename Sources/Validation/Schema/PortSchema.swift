// The JSON Schema of PORT.yaml, for editors. It stands in one file; a test holds it and the decoder to
// the same keys.

/// The schema that `validate --schema` prints.
public enum PortSchema {
  /// The document, with a newline at its end.
  public static var json: [UInt8] { PackageResources.port_schema_json }
}
