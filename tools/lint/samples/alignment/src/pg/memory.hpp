class Resource : public std::pmr::memory_resource {
  void* do_allocate(std::size_t size, std::size_t) override { return MemoryContextAlloc(context_, size); }
};
