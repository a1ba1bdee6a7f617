#include <string>

std::string made_at_load = "x";

const std::string& made_at_first_call() {
  static std::string made = made_at_load + "y";
  return made;
}
