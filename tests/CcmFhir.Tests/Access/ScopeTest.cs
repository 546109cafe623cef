using CcmFhir.Access;

namespace CcmFhir.Tests.Access;

/// <summary>SMART scopes v1 and v2: what is read, what is refused, and what a granted scope lets one do (SMART App Launch 2.2, Scopes).</summary>
public class ScopeTest
{
    [Theory]
    [InlineData("system/Task.read", "Task", Interactions.Read | Interactions.Search)]
    [InlineData("system/Task.write", "Task", Interactions.Create | Interactions.Update | Interactions.Delete)]
    [InlineData("user/*.*", "*", Interactions.All)]
    [InlineData("patient/Observation.rs", "Observation", Interactions.Read | Interactions.Search)]
    [InlineData("system/Claim.cruds", "Claim", Interactions.All)]
    [InlineData(
        "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory",
        "Observation",
        Interactions.Read | Interactions.Search
    )]
    internal void A_well_formed_scope_says_what_may_be_done(string text, string type, Interactions allowed)
    {
        Scope.TryParse(text, out var scope).ShouldBeTrue();
        scope!.Type.ShouldBe(type);
        scope.Allowed.ShouldBe(allowed);
    }

    [Theory]
    [InlineData("openid")]
    [InlineData("launch/patient")]
    [InlineData("system/Task.sr")]
    [InlineData("system/Task.rr")]
    [InlineData("system/Task.")]
    [InlineData("system/.read")]
    [InlineData("system/Task.read?status=completed")]
    [InlineData("system/Task.rs?")]
    [InlineData("system/Task.rs?status")]
    [InlineData("practice/Task.read")]
    [InlineData("system/Ta-sk.read")]
    [InlineData("system?/Task.read")]
    [InlineData("System/Task.read")]
    public void What_is_not_a_scope_for_resources_is_none(string text) => Scope.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void A_search_restricted_scope_keeps_its_query()
    {
        Scope.TryParse("system/Observation.rs?category=vital-signs&status=final", out var scope).ShouldBeTrue();
        scope!.Query.ShouldBe([new("category", "vital-signs"), new("status", "final")]);
    }

    [Theory]
    [InlineData("system/*.cruds", "system/Task.rs", true)]
    [InlineData("system/Task.read", "system/Task.r", true)]
    [InlineData("system/Task.read", "system/Task.c", false)]
    [InlineData("system/Task.rs?status=completed", "system/Task.rs", false)]
    [InlineData("user/Task.rs", "system/Task.rs", false)]
    public void A_registered_scope_includes_only_what_is_narrower(string registered, string asked, bool included)
    {
        Scope.TryParse(registered, out var wide).ShouldBeTrue();
        Scope.TryParse(asked, out var narrow).ShouldBeTrue();
        wide!.Includes(narrow!).ShouldBe(included);
    }

    [Theory]
    [InlineData("p1", Interactions.Read, true)]
    [InlineData("p2", Interactions.Read, false)]
    [InlineData(null, Interactions.Read, true)]
    [InlineData(null, Interactions.Update, false)]
    [InlineData("p1", Interactions.Delete, true)]
    internal void A_patient_scope_reaches_its_own_compartment_and_reads_the_directory(
        string? compartment,
        Interactions interaction,
        bool allowed
    ) => Context("p1", "patient/*.cruds").Allows("Practitioner", interaction, compartment, _ => true).ShouldBe(allowed);

    [Fact]
    public void A_patient_scope_without_a_launch_patient_allows_nothing()
    {
        var context = Context(null, "patient/Task.rs");
        context.Missing("Task", Interactions.Read).ShouldBe("system/Task.r");
        context.Allows("Task", Interactions.Read, "p1", _ => true).ShouldBeFalse();
    }

    [Fact]
    public void A_search_restricted_scope_lets_through_what_matches()
    {
        var context = Context(null, "system/Observation.rs?category=vital-signs");
        context.Allows("Observation", Interactions.Read, "p1", query => query[0].Value == "vital-signs").ShouldBeTrue();
        context.Allows("Observation", Interactions.Read, "p1", _ => false).ShouldBeFalse();
    }

    [Fact]
    public void The_missing_scope_is_named_as_it_would_have_to_be_asked_for()
    {
        Context(null, "system/Task.rs").Missing("Claim", Interactions.Create).ShouldBe("system/Claim.c");
        Context("p1", "patient/Task.rs").Missing("Task", Interactions.Update).ShouldBe("patient/Task.u");
        Context(null, "system/Task.rs").Missing("Task", Interactions.Search).ShouldBeNull();
    }

    private static AccessContext Context(string? patient, params string[] scopes) =>
        new(
            "maple-street",
            "client",
            [
                .. scopes.Select(text =>
                    Scope.TryParse(text, out var scope) ? scope : throw new InvalidOperationException(text)
                ),
            ],
            patient
        );
}
