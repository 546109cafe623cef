using System.Text;
using CcmFhir.Validation.Definitions;
using CcmFhir.Validation.Terminology;

namespace CcmFhir.Validation.Tests.Terminology;

public sealed class ValueSetTest
{
    private const string System = "http://example.org/cs";

    /// <summary>animal (abstract): dog (legs 4; puppy), cat (legs 4, retired), Bird (legs 2; child by property: hen).</summary>
    private const string Animals = """
        {"resourceType":"CodeSystem","url":"http://example.org/cs","caseSensitive":true,"content":"complete","concept":[
          {"code":"animal","property":[{"code":"notSelectable","valueBoolean":true}],"concept":[
            {"code":"dog","display":"Dog","property":[{"code":"legs","valueInteger":4}],"concept":[{"code":"puppy"}]},
            {"code":"cat","property":[{"code":"legs","valueInteger":4},{"code":"status","valueCode":"retired"}]},
            {"code":"Bird","property":[{"code":"legs","valueInteger":2}]}]},
          {"code":"hen","property":[{"code":"parent","valueCode":"Bird"}]},
          {"code":"stone"}]}
        """;

    [Theory]
    [InlineData("""{"property":"concept","op":"is-a","value":"animal"}""", "animal dog puppy cat Bird hen")]
    [InlineData("""{"property":"concept","op":"descendent-of","value":"animal"}""", "dog puppy cat Bird hen")]
    [InlineData("""{"property":"concept","op":"is-not-a","value":"animal"}""", "stone")]
    [InlineData("""{"property":"concept","op":"generalizes","value":"hen"}""", "animal Bird hen")]
    [InlineData("""{"property":"concept","op":"child-of","value":"animal"}""", "dog cat Bird")]
    [InlineData("""{"property":"concept","op":"descendent-leaf","value":"animal"}""", "puppy cat hen")]
    [InlineData("""{"property":"legs","op":"=","value":"4"}""", "dog cat")]
    [InlineData("""{"property":"legs","op":"in","value":"2, 3"}""", "Bird")]
    [InlineData("""{"property":"legs","op":"not-in","value":"4"}""", "animal puppy Bird hen stone")]
    [InlineData("""{"property":"legs","op":"exists","value":"false"}""", "animal puppy hen stone")]
    [InlineData("""{"property":"code","op":"regex","value":".*e.*"}""", "hen stone")]
    [InlineData("""{"property":"parent","op":"=","value":"dog"}""", "puppy")]
    [InlineData("""{"property":"child","op":"=","value":"hen"}""", "Bird")]
    [InlineData("""{"property":"display","op":"=","value":"Dog"}""", "dog")]
    [InlineData("""{"property":"concept","op":"is-a","value":"nothing"}""", "")]
    public void A_filter_selects_concepts(string filter, string expected)
    {
        var set = Set($$"""{"include":[{"system":"{{System}}","filter":[{{filter}}]}]}""");
        set.NotKnown.ShouldBeEmpty();
        foreach (var code in "animal dog puppy cat Bird hen stone other".Split(' '))
        {
            Find(set, code).ShouldBe(expected.Split(' ').Contains(code) ? Membership.In : Membership.NotIn, code);
        }
    }

    [Fact]
    public void Several_filters_must_all_be_met_and_an_exclude_takes_away()
    {
        var set = Set(
            $$$"""
            {"include":[{"system":"{{{System}}}","filter":[{"property":"concept","op":"is-a","value":"animal"},
              {"property":"legs","op":"=","value":"4"}]}],"exclude":[{"system":"{{{System}}}","concept":[{"code":"cat"}]}]}
            """
        );
        Find(set, "dog").ShouldBe(Membership.In);
        Find(set, "cat").ShouldBe(Membership.NotIn);
        set.Find("cat"u8).ShouldBe(Membership.NotIn);
        set.Find("dog"u8).ShouldBe(Membership.In);
        Find(set, "Bird").ShouldBe(Membership.NotIn);
        set.Listed().ShouldBe([(System, "dog")]);
    }

    [Fact]
    public void Inactive_concepts_stay_out_where_the_set_says_so()
    {
        var set = Set($$"""{"inactive":false,"include":[{"system":"{{System}}"}]}""");
        Find(set, "cat").ShouldBe(Membership.NotIn);
        Find(set, "dog").ShouldBe(Membership.In);
    }

    [Fact]
    public void Nested_sets_are_joined_across_includes_and_intersected_within_one()
    {
        var join = Set(
            """{"include":[{"valueSet":["http://example.org/dogs"]},{"valueSet":["http://example.org/birds"]}]}"""
        );
        Find(join, "puppy").ShouldBe(Membership.In);
        Find(join, "hen").ShouldBe(Membership.In);
        join.Find("hen"u8).ShouldBe(Membership.In);
        var both = Set(
            $$"""{"include":[{"system":"{{System}}","valueSet":["http://example.org/dogs","http://example.org/birds"]}]}"""
        );
        Find(both, "puppy").ShouldBe(Membership.NotIn);
    }

    [Theory]
    [InlineData("""{"include":[{"valueSet":["http://example.org/set"]}]}""", "http://example.org/set")]
    [InlineData("""{"include":[{"valueSet":["http://example.org/none"]}]}""", "http://example.org/none")]
    [InlineData("""{"include":[{"system":"http://example.org/none"}]}""", "http://example.org/none")]
    [InlineData(
        """{"include":[{"system":"http://example.org/none","filter":[{"property":"a","op":"=","value":"b"}]}]}""",
        "http://example.org/none"
    )]
    [InlineData(
        """{"include":[{"system":"http://example.org/cs","filter":[{"property":"a","op":"strange","value":"b"}]}]}""",
        "http://example.org/cs"
    )]
    [InlineData(
        """{"include":[{"system":"http://example.org/cs","filter":[{"property":"code","op":"regex","value":"("}]}]}""",
        "http://example.org/cs"
    )]
    public void What_cannot_be_told_is_not_known_and_named(string compose, string missing)
    {
        var set = Set(compose);
        set.NotKnown.ShouldBe([missing]);
        set.Find(missing == System ? "http://example.org/cs"u8 : "http://example.org/none"u8, "x"u8)
            .ShouldBe(Membership.NotKnown);
    }

    [Fact]
    public void A_fragment_knows_what_it_lists_and_nothing_else()
    {
        var set = Set(
            """{"include":[{"system":"http://example.org/part"}]}""",
            """{"resourceType":"CodeSystem","url":"http://example.org/part","content":"fragment","concept":[{"code":"a"}]}"""
        );
        set.Find("http://example.org/part"u8, "A"u8).ShouldBe(Membership.In);
        set.Find("http://example.org/part"u8, "b"u8).ShouldBe(Membership.NotKnown);
        set.Find("http://example.org/other"u8, "b"u8).ShouldBe(Membership.NotIn);
        set.NotKnown.ShouldBe(["http://example.org/part"]);
    }

    [Fact]
    public void A_supplement_adds_properties_that_a_filter_may_ask_for()
    {
        var set = Set(
            $$"""{"include":[{"system":"{{System}}","filter":[{"property":"tame","op":"=","value":"true"}]}]}""",
            $$"""
            {"resourceType":"CodeSystem","url":"http://example.org/more","content":"supplement","supplements":"{{System}}|1",
             "concept":[{"code":"dog","property":[{"code":"tame","valueBoolean":true}]}]}
            """
        );
        Find(set, "dog").ShouldBe(Membership.In);
        Find(set, "cat").ShouldBe(Membership.NotIn);
    }

    [Fact]
    public void An_expansion_is_the_word_on_a_set_without_a_definition_unless_it_was_cut_off()
    {
        var whole = Set(
            "{}",
            extra: """
            ,"expansion":{"contains":[{"system":"s","code":"a","contains":[{"system":"s","code":"b"}]},
              {"system":"s","abstract":true,"code":"c"}]}
            """
        );
        whole.Find("s"u8, "b"u8).ShouldBe(Membership.In);
        whole.Find("s"u8, "c"u8).ShouldBe(Membership.NotIn);
        whole.Find("s"u8, "d"u8).ShouldBe(Membership.NotIn);
        var part = Set("{}", extra: ",\"expansion\":{\"total\":9,\"contains\":[{\"system\":\"s\",\"code\":\"a\"}]}");
        part.Find("s"u8, "a"u8).ShouldBe(Membership.In);
        part.Find("s"u8, "d"u8).ShouldBe(Membership.NotKnown);
    }

    [Fact]
    public void Elements_are_asked_about_without_allocating()
    {
        var set = Set($$"""{"include":[{"system":"{{System}}"}]}""");
        var json = Json(
            $$"""{"coding":[{"code":"dog"},{"system":"http://example.org/x","code":"dog"},{"system":"{{System}}","code":"d\u006fg"}]}"""
        );
        set.OfConcept(json).ShouldBe(Membership.In);
        var plain = Json($$"""{"coding":[{"system":"{{System}}","code":"hen"}],"code":"cow"}""");
        set.OfConcept(plain).ShouldBe(Membership.In);
        set.OfCode(plain["code"u8]).ShouldBe(Membership.NotIn);
        set.OfConcept(Json("""{"text":"a dog"}""")).ShouldBe(Membership.NotIn);
        set.OfCoding(Json("""{"code":"dog"}""")).ShouldBe(Membership.NotIn);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 100; round++)
        {
            set.OfConcept(plain);
            set.OfCode(plain["code"u8]);
        }
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(100);
    }

    [Theory]
    [InlineData("DOG", "dog")]
    [InlineData("pupy", "puppy")]
    [InlineData("ston e", "stone")]
    [InlineData("elephant", null)]
    [InlineData("", null)]
    public void The_nearest_code_is_what_somebody_probably_meant(string code, string? meant) =>
        Set($$"""{"include":[{"system":"{{System}}"}]}""").Nearest(System, code).ShouldBe(meant);

    private static Membership Find(ValueSetCodes set, string code) =>
        set.Find(Encoding.UTF8.GetBytes(System), Encoding.UTF8.GetBytes(code));

    private static ValueSetCodes Set(string compose, string? codeSystem = null, string extra = "")
    {
        string Branch(string name, string top) =>
            $$$"""
                {"resourceType":"ValueSet","url":"http://example.org/{{{name}}}","compose":{"include":[{"system":"{{{System}}}",
                 "filter":[{"property":"concept","op":"is-a","value":"{{{top}}}"}]}]}}
                """;
        var set = $$"""{"resourceType":"ValueSet","url":"http://example.org/set","compose":{{compose}}{{extra}}}""";
        return new TerminologySet(
            new DefinitionSet(
                new[] { set, Animals, Branch("dogs", "dog"), Branch("birds", "Bird"), codeSystem }
                    .OfType<string>()
                    .Select(Json)
                    .Select(json => new Definition(
                        json["resourceType"u8].Is("ValueSet"u8) ? DefinitionKind.ValueSet : DefinitionKind.CodeSystem,
                        json["url"u8].Text!,
                        null,
                        "test",
                        () => json
                    )
                    {
                        Supplements = json["supplements"u8].Text,
                    })
            )
        ).ValueSet("http://example.org/set");
    }

    private static FhirElement Json(string text) => FhirJson.Parse(Encoding.UTF8.GetBytes(text), out _)!.Root;
}
