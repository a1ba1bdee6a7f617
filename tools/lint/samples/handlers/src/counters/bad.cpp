void bad() {
  try {
    throw 1;
  } catch (...) {
  }
}
