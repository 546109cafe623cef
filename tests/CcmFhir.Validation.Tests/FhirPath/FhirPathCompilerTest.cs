using CcmFhir.Validation.Definitions;
using CcmFhir.Validation.FhirPath;

namespace CcmFhir.Validation.Tests.FhirPath;

public sealed class FhirPathCompilerTest
{
    [Fact]
    public void Every_invariant_of_the_base_compiles()
    {
        var expressions = (
            from definition in BaseDefinitions.R4.All(DefinitionKind.Structure)
            from element in BaseDefinitions.R4.Structure(definition.Url)!.Elements
            from constraint in element.Constraints
            where constraint.Expression is not null
            select constraint.Expression
        ).ToHashSet();
        expressions.Count.ShouldBeGreaterThan(150);
        foreach (var expression in expressions)
        {
            FhirPathCompiler.Compile(expression).Expression.ShouldBe(expression);
        }
    }

    [Theory]
    [InlineData("name.exists(", "This is not FHIRPath")]
    [InlineData("text.``.exists()", "a name is needed")]
    [InlineData("name.frobnicate()", "There is no function frobnicate()")]
    [InlineData("name.where()", "where() takes 1 arguments, and 0 are given")]
    [InlineData("name.matches('(', 'x', 'y')", "matches() takes 1 arguments, and 3 are given")]
    public void What_cannot_be_compiled_says_what_and_where(string expression, string message)
    {
        var fault = Should.Throw<FhirPathException>(() => FhirPathCompiler.Compile(expression));
        fault.Message.ShouldContain(message);
        fault.Message.ShouldContain(expression);
    }

    [Fact]
    public void What_nests_too_deeply_is_refused_before_it_is_parsed()
    {
        var deep = new string('(', 5_000) + "1" + new string(')', 5_000);
        Should.Throw<FhirPathException>(() => FhirPathCompiler.Compile(deep)).Message.ShouldContain("nests deeper");
        var longChain = "a" + string.Concat(Enumerable.Repeat(".b", 5_000));
        Should.Throw<FhirPathException>(() => FhirPathCompiler.Compile(longChain)).Message.ShouldContain("steps");
    }
}
