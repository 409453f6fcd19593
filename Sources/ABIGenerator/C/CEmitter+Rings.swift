// The rings of abi/ with their own types, on top of ring-access.h.

import ABISchema

extension CEmitter {
  func typedRings() -> String {
    var out = TextBuilder()
    out.line("/* \(generator.origin(nil)) */")
    comment("The rings of the interface, each with its own types.", into: &out)
    out.line("#ifndef XENABI_TYPED_RINGS_H")
    out.line("#define XENABI_TYPED_RINGS_H")
    out.line()
    out.line("#include \"xenabi/ring-access.h\"")
    for subject in abi.subjects
    where !subject.rings.isEmpty || subject.structures.contains(where: { $0.stream != nil }) {
      out.line("#include \"xenabi/\(subject.name).h\"")
    }
    for subject in abi.subjects {
      for ring in subject.rings { emit(ring, into: &out) }
      for structure in subject.structures where structure.stream != nil {
        emitStream(structure, into: &out)
      }
    }
    out.line()
    out.line("#endif /* XENABI_TYPED_RINGS_H */")
    return out.text
  }

  private func emit(_ ring: Ring, into out: inout TextBuilder) {
    let name = ring.cName
    let request = declare(.named(ring.request), "").trimmedEnd
    let response = declare(.named(ring.response), "").trimmedEnd
    out.line()
    comment(
      ring.entry.doc + (ring.notify.map { " Notification: " + $0 } ?? ""), into: &out)
    out.raw(
      """
      union \(name)_sring_entry {
          \(request) req;
          \(response) rsp;
      };

      struct \(name)_sring {
          uint32_t req_prod, req_event;
          uint32_t rsp_prod, rsp_event;
          uint8_t pad[48];
          union \(name)_sring_entry ring[1]; /* as many as the pages hold */
      };
      XENABI_ASSERT(offsetof(struct \(name)_sring, ring) == 64, "abi ring \(name): entries", \(name)_sring_ring);

      static inline int \(name)_front_init(struct xenabi_ring *ring, void *page, uint32_t bytes)
      {
          return xenabi_front_init(ring, page, bytes, sizeof(union \(name)_sring_entry));
      }

      static inline int \(name)_back_attach(struct xenabi_ring *ring, void *page, uint32_t bytes)
      {
          return xenabi_ring_attach(ring, page, bytes, sizeof(union \(name)_sring_entry));
      }

      static inline int \(name)_front_put(struct xenabi_ring *ring, const \(request) *request)
      {
          return xenabi_front_put(ring, request, sizeof(*request));
      }

      static inline int \(name)_front_take(struct xenabi_ring *ring, \(response) *response)
      {
          return xenabi_front_take(ring, response, sizeof(*response));
      }

      static inline int \(name)_back_take(struct xenabi_ring *ring, \(request) *request)
      {
          return xenabi_back_take(ring, request, sizeof(*request));
      }

      static inline int \(name)_back_put(struct xenabi_ring *ring, const \(response) *response)
      {
          return xenabi_back_put(ring, response, sizeof(*response));
      }
      """)
  }

  private func emitStream(_ structure: Structure, into out: inout TextBuilder) {
    guard let stream = structure.stream else { return }
    let tag = tag(structure)
    let name = structure.entry.name
    let input = [stream.input, stream.inputConsumer, stream.inputProducer]
    let output = [stream.output, stream.outputConsumer, stream.outputProducer]
    for (end, mine, other) in [("guest", input, output), ("backend", output, input)] {
      out.line()
      comment(
        end == "guest"
          ? "The guest's end: reads `\(stream.input)`, writes `\(stream.output)`."
          : "The other end: reads `\(stream.output)`, writes `\(stream.input)`.", into: &out)
      out.raw(
        """
        static inline int \(name)_begin_\(end)(struct xenabi_stream *stream, \(tag) *page)
        {
            stream->in = (uint8_t *)page->\(mine[0]);
            stream->in_size = sizeof(page->\(mine[0]));
            stream->in_cons = &page->\(mine[1]);
            stream->in_prod = &page->\(mine[2]);
            stream->out = (uint8_t *)page->\(other[0]);
            stream->out_size = sizeof(page->\(other[0]));
            stream->out_cons = &page->\(other[1]);
            stream->out_prod = &page->\(other[2]);
            return xenabi_stream_begin(stream);
        }
        """)
    }
  }
}

extension String {
  var trimmedEnd: String {
    var slice = self[...]
    while slice.last == " " { slice.removeLast() }
    return String(slice)
  }
}
