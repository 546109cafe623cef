using Hl7.Fhir.FhirPath;
using Hl7.Fhir.Model;
using Hl7.Fhir.Serialization;
using SdkCompiler = Hl7.FhirPath.FhirPathCompiler;
using SdkExpression = Hl7.FhirPath.CompiledExpression;

namespace CcmFhir.Validation.Tests.FhirPath;

/// <summary>The FHIRPath engine of the Firely SDK over its own objects: what ours is compared with.</summary>
internal sealed class SdkOracle
{
    private static readonly SdkCompiler Compiler = CreateCompiler();
    private readonly Dictionary<string, SdkExpression> compiled = new(StringComparer.Ordinal);

    public static PocoNode? Read(byte[] json)
    {
        var text = System.Text.Encoding.UTF8.GetString(json);
        return
            FhirJsonDeserializer.OSTRICH.TryDeserializeResource(text, out var resource, out _) || resource is not null
            ? PocoNodeOrList.Root(resource!, null)
            : null;
    }

    /// <summary>The values of an expression on a resource.</summary>
    public static IReadOnlyList<PocoNode> Evaluate(string expression, PocoNode resource) =>
        [
            .. Compiler.Compile(expression)(
                [resource],
                new FhirEvaluationContext { Resource = resource, RootResource = resource }
            ),
        ];

    /// <summary>true, false, empty, or error.</summary>
    public string Holds(string expression, PocoNode focus, PocoNode resource, PocoNode root)
    {
        try
        {
            if (!compiled.TryGetValue(expression, out var known))
            {
                compiled[expression] = known = Compiler.Compile(expression);
            }
            var results = known([focus], new FhirEvaluationContext { Resource = resource, RootResource = root })
                .ToList();
            return results switch
            {
                [] => "empty",
                [var one] when one.GetValue() is bool value => value ? "true" : "false",
                [_] => "true",
                _ => "error",
            };
        }
        catch (Exception)
        {
            return "error";
        }
    }

    private static SdkCompiler CreateCompiler()
    {
        ElementNavFhirExtensions.PrepareFhirSymbolTableFunctions();
        return new SdkCompiler();
    }
}
