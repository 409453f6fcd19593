// A small interface that uses every kind of entry, for the tests to read and to break.

import ABISchema

enum Sample {
  static let file = "abi/sample.yaml"

  static let text = """
    subject: sample
    title: A sample
    doc: Everything that a data file can hold.
    source: public/sample.h
    since: "3.0"
    topics:
      - name: sample-rule
        title: A rule
        doc: Prose that belongs to no entry.
    constants:
      - group: errno
        doc: Error numbers.
        type: i32
        kind: enum
        values:
          - { name: XEN_EFAULT, value: 14, doc: A bad address. }
          - { name: XEN_EINVAL, value: 22, doc: A bad argument. }
          - { name: XEN_EWRONG, value: 22, alias: XEN_EINVAL }
      - group: sample-flags
        doc: Bits.
        type: u8
        kind: flags
        values:
          - { name: FLAG_a, value: 1 }
          - { name: FLAG_b, value: 0x2 }
          - { name: FLAG_mask, value: 3, mask: true }
      - group: addresses
        doc: Numbers that differ.
        type: ulong
        kind: values
        values:
          - { name: BASE, values: { x86_64: 0xFFFF800000000000, x86_32: 0xF5800000 } }
          - { name: ONLY_64, value: 8, arch: x86_64 }
          - { name: ENTRIES, value: 4 }
      - group: names
        doc: Texts.
        type: string
        kind: strings
        values:
          - { name: SIGNATURE, value: xen-3.0, doc: What start_info begins with. }
    types:
      - { name: frame_t, type: ulong, doc: A frame number. }
      - { name: uuid_t, type: "u8[16]", doc: Sixteen bytes. }
    structures:
      - name: inner
        doc: A part.
        size: { x86_64: 16, x86_32: 12 }
        fields:
          - { name: count, type: u32, dir: in }
          - { name: hole0, type: "u8[4]", pad: true, arch: x86_64 }
          - { name: value, type: u64, offset: { x86_64: 8, x86_32: 4 } }
      - name: outer
        typedef: outer_t
        doc: A whole.
        size: { x86_64: 80, x86_32: 60 }
        fields:
          - { name: parts, type: "inner[2]" }
          - { name: frames, type: "handle<frame_t>", dir: out }
          - { name: frame, type: frame_t }
          - { name: flags, type: u8, values: sample-flags }
          - { name: kind, type: u8, values: errno, dir: inout }
          - { name: half, type: u16 }
          - { name: low, type: u32 }
          - name: u
            union:
              - { name: word, type: u32 }
              - { struct: [ { name: a, type: u16 }, { name: b, type: u16 } ] }
          - { name: many, type: "u32[ENTRIES]" }
          - { name: hole1, type: "u8[4]", pad: true, arch: x86_64 }
          - { name: tail, type: "u32[]" }
      - name: aligned
        doc: The same on both.
        size: 16
        fields:
          - { name: id, type: u64a }
          - { name: text, type: "char[8]" }
      - name: only64
        doc: For one architecture.
        arch: x86_64
        size: 8
        fields:
          - { name: rip, type: u64 }
      - name: console
        doc: Two streams.
        size: 64
        fields:
          - { name: in, type: "char[16]" }
          - { name: out, type: "char[32]" }
          - { name: in_cons, type: u32 }
          - { name: in_prod, type: u32 }
          - { name: out_cons, type: u32 }
          - { name: out_prod, type: u32 }
        stream: { in: in, inCons: in_cons, inProd: in_prod, out: out, outCons: out_cons, outProd: out_prod }
    hypercalls:
      - name: sample_op
        number: 20
        doc: Does samples.
        callers: guest
        arguments:
          - { name: cmd, type: u32, values: sample_op-operations }
          - { name: arg, type: handle<void> }
        returns: Zero.
        errors:
          - { code: EFAULT, when: The argument cannot be read. }
        before: Nothing.
        preemption: Never.
        operations:
          - { name: SAMPLEOP_one, number: 0, argument: inner, doc: The first. }
          - { name: SAMPLEOP_two, number: 1, argument: outer, batch: true, doc: The second. }
          - { name: SAMPLEOP_uno, number: 0, argument: inner, alias: SAMPLEOP_one, doc: Again. }
      - { name: reserved_op, number: { x86_64: 21, x86_32: 22 }, numberOnly: true, callers: domain0, doc: Reserved. }
    rings:
      - { name: sample_ring, request: inner, response: aligned, doc: Requests and responses. }
    notes:
      - { name: XEN_ELFNOTE_SAMPLE, number: 5, value: string, required: true, doc: A note. }
      - { name: XEN_ELFNOTE_OTHER, number: 6, value: numeric, doc: Another note. }
    keys:
      - { path: device/sample/<id>/ring-ref, side: frontend, type: gref, doc: The ring's grant. }
      - { path: device/sample/<id>/feature-x, side: backend, type: bool, default: "0", doc: A feature. }
    states:
      - { name: StateOne, value: 1, doc: First., next: [StateTwo] }
      - { name: StateTwo, value: 2, doc: Second., next: [StateOne] }
    protocols:
      - { name: displif, doc: Displays., source: public/io/displif.h }
    """

  static func load(_ text: String = Sample.text) -> ABILoadResult {
    ABILoader.load([ABISource(file: file, text: text)])
  }

  /// The sample with one place changed.
  static func changed(_ old: String, _ new: String) -> String? {
    guard let range = text.range(of: old) else { return nil }
    return text.replacingCharacters(in: range, with: new)
  }
}

extension String {
  fileprivate func range(of part: String) -> Range<String.Index>? {
    ranges(of: part).first
  }

  fileprivate func replacingCharacters(
    in range: Range<String.Index>, with text: String
  ) -> String {
    String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
  }
}
