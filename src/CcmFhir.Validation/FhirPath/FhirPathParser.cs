using System.Globalization;
using System.Text;

namespace CcmFhir.Validation.FhirPath;

/// <summary>Reads FHIRPath (grammar: http://hl7.org/fhirpath/N1/grammar.html) straight into steps. What nests deeply is refused: the stack of a
/// hostile expression could not be caught.</summary>
internal ref struct FhirPathParser
{
    private const int LongestExpression = 50_000;
    private const int DeepestTree = 400;
    private const int DeepestNesting = 100;
    private const int Tightest = 10;
    private static readonly ThisNode This = new();
    private static readonly string[] TimeUnits =
    [
        "year",
        "years",
        "month",
        "months",
        "week",
        "weeks",
        "day",
        "days",
        "hour",
        "hours",
        "minute",
        "minutes",
        "second",
        "seconds",
        "millisecond",
        "milliseconds",
    ];

    private readonly string text;
    private int at;
    private int nesting;

    private FhirPathParser(string text) => this.text = text;

    /// <summary>Reads an expression.</summary>
    /// <exception cref="FhirPathException">It is not FHIRPath, or uses what is not known here.</exception>
    public static Node Parse(string expression)
    {
        if (expression.Length > LongestExpression)
        {
            throw new FhirPathException(
                $"The expression has {expression.Length} characters; at most {LongestExpression} are compiled."
            );
        }
        var parser = new FhirPathParser(expression);
        try
        {
            var whole = parser.Expression(0);
            parser.SkipSpace();
            return parser.at == expression.Length ? whole.Node : throw parser.Unexpected("an operator or the end");
        }
        catch (FhirPathException fault) when (fault.Expression is null)
        {
            throw new FhirPathException(
                fault.Message,
                expression.Length > 500 ? expression[..500] : expression,
                parser.at,
                fault
            );
        }
    }

    // Binding strength, weakest first: implies, or xor, and, in contains, = ~, < >, |, is as, + - &, * / div mod.
    private Part Expression(int strength)
    {
        if (++nesting > DeepestNesting)
        {
            throw new FhirPathException($"The expression nests deeper than {DeepestNesting} levels.");
        }
        var left = Unary();
        while (true)
        {
            SkipSpace();
            var start = at;
            var (op, binds) = Operator();
            if (op is null || binds < strength)
            {
                at = start;
                nesting--;
                return left;
            }
            if (op is "is" or "as")
            {
                left = Bounded(OfType(left.Node, TypeName(), filters: op == "as"), left.Depth);
                continue;
            }
            var right = Expression(binds + 1);
            left = Bounded(Binary(op, left.Node, right.Node), Math.Max(left.Depth, right.Depth));
        }
    }

    private Part Unary()
    {
        SkipSpace();
        if (Peek() is not ('-' or '+'))
        {
            return Path();
        }
        var negative = text[at++] == '-';
        var operand = Path();
        return negative ? Bounded(new ScalarNode(operand.Node, Arithmetic.Negate, []), operand.Depth) : operand;
    }

    private Part Path()
    {
        var path = Term();
        while (true)
        {
            SkipSpace();
            switch (Peek())
            {
                case '.':
                    at++;
                    SkipSpace();
                    path = Invocation(path);
                    break;
                case '[':
                    at++;
                    var index = Expression(0);
                    Expect(']');
                    path = Bounded(new FunctionNode(path.Node, Item, [index.Node]), Math.Max(path.Depth, index.Depth));
                    break;
                default:
                    return path;
            }
        }
    }

    private Part Term()
    {
        SkipSpace();
        switch (Peek())
        {
            case '(':
                at++;
                var inner = Expression(0);
                Expect(')');
                return inner;
            case '{':
                at++;
                Expect('}');
                return new Part(new EmptyNode(), 1);
            case '\'':
                return Literal(FhirPathValue.Of(Quoted()));
            case '@':
                return Literal(Moment());
            case '%':
                at++;
                return new Part(Variable(Peek() == '\'' ? Quoted() : Identifier()), 1);
            case '$':
                at++;
                return new Part(
                    Identifier() switch
                    {
                        "this" => This,
                        "index" => new IndexNode(),
                        "total" => new TotalNode(),
                        var other => throw new FhirPathException(
                            $"${other} is not known; $this, $index and $total are."
                        ),
                    },
                    1
                );
            case >= '0' and <= '9':
                return Literal(Number());
            default:
                var start = at;
                if (Peek() is 't' or 'f' && Word() is ("true" or "false") and var truth)
                {
                    return Literal(FhirPathValue.Of(truth == "true"));
                }
                at = start;
                return Invocation(new Part(This, 1));
        }
    }

    private Part Invocation(Part focus)
    {
        var name = Identifier();
        SkipSpace();
        if (Peek() != '(')
        {
            return Bounded(new ChildNode(focus.Node, name), focus.Depth);
        }
        at++;
        SkipSpace();
        if (name is "is" or "as" or "ofType")
        {
            var type = TypeName();
            Expect(')');
            return Bounded(OfType(focus.Node, type, filters: name != "is"), focus.Depth);
        }
        if (name == "type" && Peek() == ')')
        {
            at++;
            return Bounded(TypeInfo(focus.Node), focus.Depth);
        }
        var arguments = new List<Node>();
        var depth = focus.Depth;
        while (Peek() != ')')
        {
            var argument = Expression(0);
            arguments.Add(argument.Node);
            depth = Math.Max(depth, argument.Depth);
            SkipSpace();
            if (Peek() == ',')
            {
                at++;
                SkipSpace();
                if (Peek() == ')')
                {
                    throw Unexpected("an argument");
                }
            }
            else if (Peek() != ')')
            {
                throw Unexpected("',' or ')'");
            }
        }
        at++;
        return Bounded(Functions.Create(name, focus.Node, [.. arguments]), depth);
    }

    /// <summary>type() gives an object with namespace and name; only these two are ever asked of it, so each is a text here.</summary>
    private ScalarNode TypeInfo(Node focus)
    {
        var before = at;
        SkipSpace();
        if (Peek() == '.')
        {
            at++;
            SkipSpace();
            switch (Identifier())
            {
                case "name":
                    return new ScalarNode(
                        focus,
                        (in Frame _, in FhirPathValue value, Node[] _) => Text(value.TypeName?.Split('.')[^1]),
                        []
                    );
                case "namespace":
                    return new ScalarNode(
                        focus,
                        (in Frame _, in FhirPathValue value, Node[] _) =>
                            Text(value.Kind == FhirPathKind.Element ? "FHIR" : "System"),
                        []
                    );
                default:
                    at = before;
                    break;
            }
        }
        throw new FhirPathException("Of type() here name and namespace are known: type().name.");

        static FhirPathValue Text(string? text) => text is null ? default : FhirPathValue.Of(text);
    }

    private (string? Op, int Strength) Operator()
    {
        switch (Peek())
        {
            case '*' or '/':
                return (text[at++].ToString(), 9);
            case '+' or '-' or '&':
                return (text[at++].ToString(), 8);
            case '|':
                at++;
                return ("|", 6);
            case '<' or '>':
                var order = text[at++].ToString();
                if (Peek() == '=')
                {
                    at++;
                    order += "=";
                }
                else if (order == "<" && Peek() == '>')
                {
                    at++;
                    return ("!=", 4);
                }
                return (order, 5);
            case '=' or '~':
                return (text[at++].ToString(), 4);
            case '!' when at + 1 < text.Length && text[at + 1] is '=' or '~':
                at += 2;
                return (text[(at - 2)..at], 4);
            case >= 'a' and <= 'z':
                var word = Word();
                return word switch
                {
                    "implies" => (word, 0),
                    "or" or "xor" => (word, 1),
                    "and" => (word, 2),
                    "in" or "contains" => (word, 3),
                    "is" or "as" => (word, 7),
                    "div" or "mod" => (word, 9),
                    _ => (null, Tightest),
                };
            default:
                return (null, Tightest);
        }
    }

    private static Node OfType(Node focus, string type, bool filters) =>
        focus is ResolveNode references && !filters
            ? new LeadsToNode(references, type)
            : new TypeNode(focus, type, filters);

    private static Node Binary(string op, Node left, Node right) =>
        op switch
        {
            "and" => new LogicNode(LogicNode.Kind.And, left, right),
            "or" => new LogicNode(LogicNode.Kind.Or, left, right),
            "xor" => new LogicNode(LogicNode.Kind.Xor, left, right),
            "implies" => new LogicNode(LogicNode.Kind.Implies, left, right),
            "=" => Equality(left, right, wanted: true),
            "!=" => Equality(left, right, wanted: false),
            "~" => new EqualityNode(left, right, equivalence: true, wanted: true),
            "!~" => new EqualityNode(left, right, equivalence: true, wanted: false),
            "<" => new OrderNode(left, right, less: true, orEqual: false),
            "<=" => new OrderNode(left, right, less: true, orEqual: true),
            ">" => new OrderNode(left, right, less: false, orEqual: false),
            ">=" => new OrderNode(left, right, less: false, orEqual: true),
            "in" => Membership(left, right),
            "contains" => Membership(right, left),
            "|" => new UnionNode(left, right),
            "&" => new ConcatenateNode(left, right),
            "+" => new BinaryNode(left, right, Arithmetic.Add),
            "-" => new BinaryNode(left, right, Arithmetic.Subtract),
            "*" => new BinaryNode(left, right, Arithmetic.Multiply),
            "/" => new BinaryNode(left, right, Arithmetic.Divide),
            "div" => new BinaryNode(left, right, Arithmetic.Div),
            _ => new BinaryNode(left, right, Arithmetic.Mod),
        };

    private static Node Equality(Node left, Node right, bool wanted) =>
        right is ConstantNode { Value: { Kind: FhirPathKind.String } text }
            ? new EqualsTextNode(left, text.Text!, wanted)
        : left is ConstantNode { Value: { Kind: FhirPathKind.String } other }
            ? new EqualsTextNode(right, other.Text!, wanted)
        : new EqualityNode(left, right, equivalence: false, wanted);

    private static Node Membership(Node item, Node collection)
    {
        var texts = new List<string>();
        return Texts(collection, texts) ? new InTextsNode(item, [.. texts]) : new MembershipNode(item, collection);
    }

    // ('a' | 'b' | 'c'): the depth of the tree bounds the recursion.
    private static bool Texts(Node node, List<string> texts)
    {
        switch (node)
        {
            case ConstantNode { Value: { Kind: FhirPathKind.String } text }:
                texts.Add(text.Text!);
                return true;
            case UnionNode { Second: { } second } union:
                return Texts(union.First, texts) && Texts(second, texts);
            default:
                return false;
        }
    }

    private static Node Variable(string name) =>
        name switch
        {
            "ucum" => Constant("http://unitsofmeasure.org"),
            "sct" => Constant("http://snomed.info/sct"),
            "loinc" => Constant("http://loinc.org"),
            _ when name.StartsWith("vs-", StringComparison.Ordinal) => Constant(
                "http://hl7.org/fhir/ValueSet/" + name[3..]
            ),
            _ when name.StartsWith("ext-", StringComparison.Ordinal) => Constant(
                "http://hl7.org/fhir/StructureDefinition/" + name[4..]
            ),
            _ => new VariableNode(name),
        };

    private static ConstantNode Constant(string text) => new(FhirPathValue.Of(text));

    private static Part Literal(in FhirPathValue value) => new(new ConstantNode(value), 1);

    private static void Item(in Frame frame, ValueList values, Node[] arguments, ValueList output)
    {
        if (
            arguments[0].TryOne(frame, out var value)
            && value.TryLong(out var index)
            && index >= 0
            && index < values.Count
        )
        {
            output.Add(values[(int)index]);
        }
    }

    private FhirPathValue Number()
    {
        var start = at;
        SkipDigits();
        if (Peek() == '.' && at + 1 < text.Length && char.IsAsciiDigit(text[at + 1]))
        {
            at++;
            SkipDigits();
        }
        var written = text.AsSpan(start, at - start);
        if (!decimal.TryParse(written, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
        {
            throw new FhirPathException($"The number {written} is too large.");
        }
        var end = at;
        SkipSpace();
        if (Peek() == '\'')
        {
            return FhirPathValue.Of(new Quantity(number, Quoted(), isUcum: true));
        }
        if (Peek() is >= 'a' and <= 'z' && Word() is var word && Array.IndexOf(TimeUnits, word) >= 0)
        {
            return FhirPathValue.Of(new Quantity(number, word, isUcum: true));
        }
        at = end;
        return written.Contains('.') || number > long.MaxValue
            ? FhirPathValue.Of(number)
            : FhirPathValue.Of((long)number);
    }

    private FhirPathValue Moment()
    {
        var start = ++at;
        while (
            at < text.Length
            && (char.IsAsciiDigit(text[at]) || text[at] is '-' or ':' or 'T' or 'Z' or '+' || IsFraction())
        )
        {
            at++;
        }
        var written = text[start..at];
        var isTime = written.StartsWith('T');
        var kind =
            isTime ? FhirPathKind.Time
            : written.Contains('T', StringComparison.Ordinal) ? FhirPathKind.DateTime
            : FhirPathKind.Date;
        return Temporal.TryParse(Encoding.UTF8.GetBytes(isTime ? written[1..] : written), kind, out var moment)
            ? FhirPathValue.Of(moment)
            : throw new FhirPathException($"@{written} is not a date or time.");
    }

    private readonly bool IsFraction() => text[at] == '.' && at + 1 < text.Length && char.IsAsciiDigit(text[at + 1]);

    private void SkipDigits()
    {
        while (at < text.Length && char.IsAsciiDigit(text[at]))
        {
            at++;
        }
    }

    private string TypeName()
    {
        SkipSpace();
        if (Peek() == '(')
        {
            at++;
            var inner = TypeName();
            Expect(')');
            return inner;
        }
        var name = Peek() == '\'' ? Quoted() : Identifier();
        SkipSpace();
        while (Peek() == '.')
        {
            var dot = at++;
            SkipSpace();
            var part = Identifier();
            SkipSpace();
            if (Peek() == '(')
            {
                // value is Quantity.not(): the call belongs to the answer, not to the name.
                at = dot;
                break;
            }
            name += "." + part;
        }
        return name;
    }

    private string Identifier()
    {
        var name = Peek() is '`' or '"' ? Quoted() : Word();
        return name.Length > 0 ? name : throw Unexpected("a name");
    }

    private string Word()
    {
        var start = at;
        while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] == '_'))
        {
            at++;
        }
        if (at > start && char.IsAsciiDigit(text[start]))
        {
            at = start;
            return "";
        }
        return text[start..at];
    }

    private string Quoted()
    {
        var quote = text[at];
        var start = at++;
        var read = new StringBuilder();
        while (at < text.Length && text[at] != quote)
        {
            if (text[at] != '\\')
            {
                read.Append(text[at++]);
                continue;
            }
            if (++at == text.Length)
            {
                break;
            }
            var escaped = text[at++];
            if (escaped == 'u')
            {
                if (
                    at + 4 > text.Length
                    || !ushort.TryParse(
                        text.AsSpan(at, 4),
                        NumberStyles.AllowHexSpecifier,
                        CultureInfo.InvariantCulture,
                        out var code
                    )
                )
                {
                    throw new FhirPathException("\\u needs four hexadecimal digits.");
                }
                read.Append((char)code);
                at += 4;
                continue;
            }
            read.Append(
                escaped switch
                {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'f' => '\f',
                    // The specification knows no others; the definitions of FHIR write some (\.), and mean the character itself.
                    _ => escaped,
                }
            );
        }
        if (at == text.Length)
        {
            at = start;
            throw new FhirPathException("A quotation is not closed.");
        }
        at++;
        return read.ToString();
    }

    private readonly char Peek() => at < text.Length ? text[at] : '\0';

    private void Expect(char wanted)
    {
        SkipSpace();
        if (Peek() != wanted)
        {
            throw Unexpected($"'{wanted}'");
        }
        at++;
    }

    private readonly FhirPathException Unexpected(string wanted) =>
        new(
            at == text.Length
                ? $"This is not FHIRPath: {wanted} is missing at the end."
                : $"This is not FHIRPath: {wanted} is needed, not '{text[at]}'."
        );

    private void SkipSpace()
    {
        while (at < text.Length)
        {
            if (char.IsWhiteSpace(text[at]))
            {
                at++;
            }
            else if (text.AsSpan(at).StartsWith("//", StringComparison.Ordinal))
            {
                var end = text.IndexOf('\n', at);
                at = end < 0 ? text.Length : end;
            }
            else if (text.AsSpan(at).StartsWith("/*", StringComparison.Ordinal))
            {
                var end = text.IndexOf("*/", at + 2, StringComparison.Ordinal);
                at = end < 0 ? throw new FhirPathException("A comment is not closed.") : end + 2;
            }
            else
            {
                return;
            }
        }
    }

    private static Part Bounded(Node node, int below) =>
        below < DeepestTree
            ? new Part(node, below + 1)
            : throw new FhirPathException($"The expression has more than {DeepestTree} steps one upon the other.");

    /// <summary>A step and how deep its tree is.</summary>
    private readonly record struct Part(Node Node, int Depth);
}
