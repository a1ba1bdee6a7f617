void g() {}
