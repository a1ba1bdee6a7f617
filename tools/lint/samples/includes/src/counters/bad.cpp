#include "pg/postgres.hpp"

#include <vector>
