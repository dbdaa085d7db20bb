// einsum: the equation is read into labelled operands, which are contracted two at a time by matrix products.
#include <algorithm>

#include "contract.h"

namespace lamina {
namespace {

constexpr int kEllipsis = 128;  // label of the last dim under "..."; the one before it is kEllipsis + 1, and so on

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// One side's term: letters, and where "..." stands among them (-1: nowhere).
struct Term {
  std::string letters;
  int64_t ellipsis = -1;
};

[[noreturn]] void refuse(std::string_view equation, const std::string& why) {
  raise<ValueError>("einsum: ", why, " in equation '", equation, "'. Write it as 'bij,bjk->bik'");
}

Term read_term(std::string_view equation, std::string_view text) {
  Term t;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ') continue;
    if (text.substr(i, 3) == "...") {
      if (t.ellipsis >= 0) refuse(equation, "a term has '...' twice");
      t.ellipsis = int64_t(t.letters.size());
      i += 2;
    } else if (is_letter(text[i])) {
      t.letters += text[i];
    } else {
      refuse(equation, str("'", text[i], "' is no letter, ',', '->' or '...'"));
    }
  }
  return t;
}

struct Equation {
  std::vector<Term> inputs;
  Term output;
  bool explicit_output = false;
};

Equation read(std::string_view text) {
  Equation e;
  const size_t arrow = text.find("->");
  std::string_view left = text.substr(0, arrow);
  while (true) {
    const size_t comma = left.find(',');
    e.inputs.push_back(read_term(text, left.substr(0, comma)));
    if (comma == left.npos) break;
    left = left.substr(comma + 1);
  }
  if (arrow != text.npos) {
    e.explicit_output = true;
    e.output = read_term(text, text.substr(arrow + 2));
  }
  return e;
}

// Labels of the dims of an operand; "..." stands for `hidden` dims, aligned at their right end.
std::vector<int> labels_of(const Term& t, int64_t hidden) {
  std::vector<int> labels(t.letters.begin(), t.letters.end());
  if (t.ellipsis >= 0)
    for (int64_t i = 0; i < hidden; ++i) labels.insert(labels.begin() + t.ellipsis, int(kEllipsis + i));
  return labels;
}

// A letter that stands twice in one term means the diagonal.
Labelled with_diagonals(std::string_view equation, Labelled x) {
  for (size_t i = 0; i < x.labels.size(); ++i) {
    for (size_t j = x.labels.size() - 1; j > i; --j) {
      if (x.labels[j] != x.labels[i]) continue;
      if (x.tensor.shape()[i] != x.tensor.shape()[j])
        raise<ShapeError>("einsum: '", char(x.labels[i]), "' stands for sizes ", x.tensor.shape()[i], " and ",
                          x.tensor.shape()[j], " of ", describe("operand", x.tensor), " in equation '", equation, "'");
      x.tensor = movedim(diagonal(x.tensor, 0, int64_t(i), int64_t(j)), Dims{-1}, Dims{int64_t(i)});
      x.labels.erase(x.labels.begin() + int64_t(j));
    }
  }
  return x;
}

std::vector<Labelled> label_operands(std::string_view text, const Equation& e, const TensorList& operands,
                                     int64_t& hidden) {
  if (operands.empty()) raise<ValueError>("einsum: needs at least one operand");
  if (operands.size() != e.inputs.size())
    refuse(text, str(e.inputs.size(), " terms but ", operands.size(), " operands"));
  std::vector<Labelled> list;
  for (size_t i = 0; i < operands.size(); ++i) {
    const Term& t = e.inputs[i];
    const Tensor& x = operands[i];
    const std::string name = "operands[" + std::to_string(i) + "]";
    if (!x.defined()) raise<TypeError>("einsum: ", name, " is None");
    if (x.device() != operands[0].device() || x.dtype() != operands[0].dtype())
      raise<DtypeError>("einsum: operands must share dtype and device: ", describe("operands[0]", operands[0]), ", ",
                        describe(name, x), ". Convert one with .to(...)");
    const int64_t rest = x.dim() - int64_t(t.letters.size());
    if (rest < 0 || (rest > 0 && t.ellipsis < 0))
      raise<ShapeError>("einsum: term '", t.letters, "' names ", t.letters.size(), " dims, ", describe(name, x),
                        " has ", x.dim(), " in equation '", text, "'");
    if (t.ellipsis >= 0) hidden = std::max(hidden, rest);
    list.push_back(with_diagonals(text, {x, labels_of(t, rest)}));
  }
  return list;
}

// Without "->": the dims of "..." and then the letters that occur once, in order.
std::vector<int> output_labels(std::string_view text, const Equation& e, int64_t hidden) {
  std::string all;
  bool any_ellipsis = false;
  for (const Term& t : e.inputs) {
    all += t.letters;
    any_ellipsis = any_ellipsis || t.ellipsis >= 0;
  }
  if (!e.explicit_output) {
    Term once;
    once.ellipsis = any_ellipsis ? 0 : -1;
    for (const char c : all)
      if (std::count(all.begin(), all.end(), c) == 1) once.letters += c;
    std::sort(once.letters.begin(), once.letters.end());
    return labels_of(once, hidden);
  }
  for (const char c : e.output.letters) {
    if (std::count(e.output.letters.begin(), e.output.letters.end(), c) > 1)
      refuse(text, str("'", c, "' stands twice in the output"));
    if (all.find(c) == all.npos) refuse(text, str("'", c, "' of the output is in no input"));
  }
  return labels_of(e.output, hidden);
}

// A size 1 of one operand against n of another counts as n.
void check_sizes(std::string_view text, const std::vector<Labelled>& list) {
  for (size_t i = 0; i < list.size(); ++i) {
    for (const int label : list[i].labels) {
      for (size_t j = 0; j < i; ++j) {
        if (list[j].find(label) < 0) continue;
        const int64_t m = list[j].size_of(label), n = list[i].size_of(label);
        if (m != n && m != 1 && n != 1)
          raise<ShapeError>("einsum: '", label < kEllipsis ? std::string(1, char(label)) : "...", "' has size ", m,
                            " and ", n, ": ", describe("operands[" + std::to_string(j) + "]", list[j].tensor), ", ",
                            describe("operands[" + std::to_string(i) + "]", list[i].tensor), " in equation '", text,
                            "'");
      }
    }
  }
}

// What the rest of the equation still needs when operands i and j are joined.
std::vector<int> needed(const std::vector<Labelled>& list, size_t i, size_t j, const std::vector<int>& output) {
  std::vector<int> keep = output;
  for (size_t k = 0; k < list.size(); ++k)
    if (k != i && k != j) keep.insert(keep.end(), list[k].labels.begin(), list[k].labels.end());
  return keep;
}

// Elements that joining i and j adds to what must be held: the greedy measure of a contraction path.
double growth(const std::vector<Labelled>& list, size_t i, size_t j, const std::vector<int>& output) {
  const std::vector<int> keep = needed(list, i, j, output);
  double size = 1;
  const auto count = [&](const Labelled& x, const Labelled* other) {
    for (const int label : x.labels) {
      if (std::find(keep.begin(), keep.end(), label) == keep.end()) continue;
      if (!other || other->find(label) < 0) size *= double(x.size_of(label));
    }
  };
  count(list[i], nullptr);
  count(list[j], &list[i]);
  return size - double(list[i].tensor.numel()) - double(list[j].tensor.numel());
}

}  // namespace

Tensor einsum(std::string_view equation, const Tensors& operands) {
  const Equation e = read(equation);
  int64_t hidden = 0;
  std::vector<Labelled> list = label_operands(equation, e, operands, hidden);
  const std::vector<int> output = output_labels(equation, e, hidden);
  check_sizes(equation, list);
  while (list.size() > 1) {
    size_t a = 0, b = 1;
    if (list.size() > 2) {
      double best = growth(list, 0, 1, output);
      for (size_t i = 0; i < list.size(); ++i)
        for (size_t j = i + 1; j < list.size(); ++j)
          if (const double g = growth(list, i, j, output); g < best) {
            best = g;
            a = i;
            b = j;
          }
    }
    Labelled joined = contract("einsum", list[a], list[b], needed(list, a, b, output));
    list.erase(list.begin() + int64_t(b));
    list[a] = std::move(joined);
  }
  const Labelled y = sum_others(list[0], output);
  Size order;
  for (const int label : output) order.push_back(y.find(label));
  return permute(y.tensor, order);
}

}  // namespace lamina
