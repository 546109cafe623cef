using Hl7.FhirPath.Expressions;
using SdkCompiler = Hl7.FhirPath.FhirPathCompiler;
using SdkExpression = Hl7.FhirPath.Expressions.Expression;
using SdkTypes = Hl7.Fhir.ElementModel.Types;

namespace CcmFhir.Validation.FhirPath;

/// <summary>Turns FHIRPath into steps over <see cref="FhirElement"/>: the SDK's parser reads it, its tree is rewritten here once.</summary>
public static class FhirPathCompiler
{
    private const int LongestExpression = 20_000;
    private const int DeepestNesting = 100;
    private static readonly ThisNode This = new();
    private static readonly Lazy<SdkCompiler> Parser = new(() => new SdkCompiler());

    /// <summary>Names of all functions that can be compiled.</summary>
    internal static IEnumerable<string> FunctionNames => Functions.Names;

    /// <summary>Compiles an expression.</summary>
    /// <exception cref="FhirPathException">It is not FHIRPath, or uses what is not known here; the message names the place.</exception>
    public static CompiledExpression Compile(string expression)
    {
        ArgumentNullException.ThrowIfNull(expression);
        RefuseExcess(expression);
        SdkExpression tree;
        try
        {
            tree = Parser.Value.Parse(expression);
        }
        catch (Exception fault)
            when (fault is FormatException or ArgumentException or OverflowException or InvalidOperationException)
        {
            throw new FhirPathException($"This is not FHIRPath: {fault.Message}.", expression, -1, fault);
        }
        return new CompiledExpression(expression, Build(tree, expression));
    }

    // The parser is recursive, and a stack that overflows cannot be caught: what nests too deeply is refused before it.
    private static void RefuseExcess(string expression)
    {
        if (expression.Length > LongestExpression)
        {
            throw new FhirPathException(
                $"The expression has {expression.Length} characters; at most {LongestExpression} are compiled."
            );
        }
        var (depth, steps) = (0, 0);
        for (var at = 0; at < expression.Length; at++)
        {
            switch (expression[at])
            {
                case '\'' or '`' or '"':
                    var quote = expression[at];
                    for (at++; at < expression.Length && expression[at] != quote; at++)
                    {
                        at += expression[at] == '\\' ? 1 : 0;
                    }
                    break;
                case '(' or '[' or '{':
                    depth++;
                    break;
                case ')' or ']' or '}':
                    depth--;
                    break;
                case '.' or '-' or '+' or ' ' or '|' or '&' or '=' or '<' or '>' or '*' or '/' or ',':
                    steps++;
                    break;
                default:
                    break;
            }
            if (depth > DeepestNesting || steps > 3000)
            {
                throw new FhirPathException(
                    depth > DeepestNesting
                        ? $"The expression nests deeper than {DeepestNesting} levels."
                        : "The expression has more than 3000 steps.",
                    expression.Length > 200 ? expression[..200] : expression,
                    at
                );
            }
        }
    }

    private static Node Build(SdkExpression tree, string expression)
    {
        try
        {
            return tree switch
            {
                BracketExpression bracket => Build(bracket.Operand, expression),
                AxisExpression axis => Axis(axis),
                VariableRefExpression variable => Variable(variable.Name),
                ConstantExpression constant => new ConstantNode(Constant(constant.Value)),
                NewNodeListInitExpression => new EmptyNode(),
                ChildExpression child => new ChildNode(Build(child.Focus, expression), child.ChildName),
                IndexerExpression indexer => new FunctionNode(
                    Build(indexer.Focus, expression),
                    Item,
                    [Build(indexer.Index, expression)]
                ),
                BinaryExpression binary => Binary(binary, expression),
                UnaryExpression unary => Unary(unary, expression),
                FunctionCallExpression call => Call(call, expression),
                _ => throw new FhirPathException($"An expression of kind {tree.GetType().Name} is not known here."),
            };
        }
        catch (FhirPathException fault) when (fault.Expression is null)
        {
            throw new FhirPathException(
                fault.Message,
                expression,
                tree.Location is FhirPathExpressionLocationInfo place ? place.RawPosition : -1,
                fault
            );
        }
    }

    private static Node Axis(AxisExpression axis) =>
        axis.AxisName switch
        {
            "this" or "that" => This,
            "index" => new IndexNode(),
            "total" => new TotalNode(),
            var other => throw new FhirPathException($"${other} is not known."),
        };

    private static Node Variable(string name) =>
        name switch
        {
            "ucum" => Text("http://unitsofmeasure.org"),
            "sct" => Text("http://snomed.info/sct"),
            "loinc" => Text("http://loinc.org"),
            _ => new VariableNode(name),
        };

    private static ConstantNode Text(string text) => new(FhirPathValue.Of(text));

    private static FhirPathValue Constant(object value) =>
        value switch
        {
            bool truth => FhirPathValue.Of(truth),
            int number => FhirPathValue.Of((long)number),
            long number => FhirPathValue.Of(number),
            decimal number => FhirPathValue.Of(number),
            string text => FhirPathValue.Of(text),
            SdkTypes.Quantity quantity => FhirPathValue.Of(
                new Quantity(quantity.Value, quantity.Unit ?? "1", isUcum: true)
            ),
            SdkTypes.Date date => Moment(date.ToString(), FhirPathKind.Date),
            SdkTypes.DateTime moment => Moment(moment.ToString(), FhirPathKind.DateTime),
            SdkTypes.Time time => Moment(time.ToString(), FhirPathKind.Time),
            _ => throw new FhirPathException($"A literal of type {value.GetType().Name} is not known here."),
        };

    private static FhirPathValue Moment(string text, FhirPathKind kind) =>
        Temporal.TryParse(System.Text.Encoding.UTF8.GetBytes(text), kind, out var moment)
            ? FhirPathValue.Of(moment)
            : throw new FhirPathException($"'{text}' is not a date or time.");

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

    private static Node Binary(BinaryExpression binary, string expression)
    {
        // The tree holds both sides as arguments; Left is the focus they share.
        var sides = binary.Arguments.ToArray();
        var left = Build(sides[0], expression);
        if (binary.Op is "is" or "as")
        {
            return new TypeNode(left, TypeName(sides[1]), filters: binary.Op == "as");
        }
        var right = Build(sides[1], expression);
        return binary.Op switch
        {
            "and" => new LogicNode(LogicNode.Kind.And, left, right),
            "or" => new LogicNode(LogicNode.Kind.Or, left, right),
            "xor" => new LogicNode(LogicNode.Kind.Xor, left, right),
            "implies" => new LogicNode(LogicNode.Kind.Implies, left, right),
            "=" => Equality(left, right, wanted: true),
            "!=" or "<>" => Equality(left, right, wanted: false),
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
            "mod" => new BinaryNode(left, right, Arithmetic.Mod),
            var other => throw new FhirPathException($"The operator '{other}' is not known."),
        };
    }

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

    // ('a' | 'b' | 'c')
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

    private static Node Unary(UnaryExpression unary, string expression)
    {
        var operand = Build(unary.Arguments.First(), expression);
        return unary.Op == "-" ? new ScalarNode(operand, Arithmetic.Negate, []) : operand;
    }

    private static Node Call(FunctionCallExpression call, string expression)
    {
        var focus = Build(call.Focus, expression);
        var arguments = call.Arguments.ToArray();
        switch (call.FunctionName)
        {
            case "builtin.coreexturl":
                return Text("http://hl7.org/fhir/StructureDefinition/" + Literal(arguments));
            case "builtin.corevsurl":
                return Text("http://hl7.org/fhir/ValueSet/" + Literal(arguments));
            case "is" or "as" or "ofType":
                if (arguments.Length != 1)
                {
                    throw new FhirPathException($"{call.FunctionName}() takes the name of one type.");
                }
                return new TypeNode(focus, TypeName(arguments[0]), filters: call.FunctionName != "is");
            default:
                return Functions.Create(
                    call.FunctionName,
                    focus,
                    [.. arguments.Select(argument => Build(argument, expression))]
                );
        }
    }

    private static string Literal(SdkExpression[] arguments) => (string)((ConstantExpression)arguments[0]).Value;

    private static string TypeName(SdkExpression type) =>
        type switch
        {
            BracketExpression bracket => TypeName(bracket.Operand),
            ConstantExpression { Value: string name } => name,
            IdentifierExpression name => name.Value,
            _ => throw new FhirPathException("The name of a type is needed here."),
        };
}
