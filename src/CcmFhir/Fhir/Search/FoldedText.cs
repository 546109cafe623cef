using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace CcmFhir.Fhir.Search;

/// <summary>Text compared without case and accents [search.html#string].</summary>
internal static class FoldedText
{
    // Latin letters with accents by what is left without them. The runtime cannot take letters apart here: it runs without culture data.
    private const string Letters = """
        a ÀÁÂÃÄÅàáâãäåĀāĂăĄąǍǎǞǟǠǡǺǻȀȁȂȃȦȧḀḁẠạẢảẤấẦầẨẩẪẫẬậẮắẰằẲẳẴẵẶặ
        ae Ææ
        b ḂḃḄḅḆḇ
        c ÇçĆćĈĉĊċČčḈḉ
        d ÐðĎďĐđḊḋḌḍḎḏḐḑḒḓ
        e ÈÉÊËèéêëĒēĔĕĖėĘęĚěȄȅȆȇȨȩḔḕḖḗḘḙḚḛḜḝẸẹẺẻẼẽẾếỀềỂểỄễỆệ
        f Ḟḟ
        g ĜĝĞğĠġĢģǦǧǴǵḠḡ
        h ĤĥĦħȞȟḢḣḤḥḦḧḨḩḪḫẖ
        i ÌÍÎÏìíîïĨĩĪīĬĭĮįİıǏǐȈȉȊȋḬḭḮḯỈỉỊị
        j Ĵĵǰ
        k ĶķǨǩḰḱḲḳḴḵ
        l ĹĺĻļĽľŁłḶḷḸḹḺḻḼḽ
        m ḾḿṀṁṂṃ
        n ÑñŃńŅņŇňǸǹṄṅṆṇṈṉṊṋ
        o ÒÓÔÕÖØòóôõöøŌōŎŏŐőƠơǑǒǪǫǬǭȌȍȎȏȪȫȬȭȮȯȰȱṌṍṎṏṐṑṒṓỌọỎỏỐốỒồỔổỖỗỘộỚớỜờỞởỠỡỢợ
        oe Œœ
        p ṔṕṖṗ
        r ŔŕŖŗŘřȐȑȒȓṘṙṚṛṜṝṞṟ
        s ŚśŜŝŞşŠšȘșṠṡṢṣṤṥṦṧṨṩ
        ss ß
        t ŢţŤťŦŧȚțṪṫṬṭṮṯṰṱẗ
        th Þþ
        u ÙÚÛÜùúûüŨũŪūŬŭŮůŰűŲųƯưǓǔǕǖǗǘǙǚǛǜȔȕȖȗṲṳṴṵṶṷṸṹṺṻỤụỦủỨứỪừỬửỮữỰự
        v ṼṽṾṿ
        w ŴŵẀẁẂẃẄẅẆẇẈẉẘ
        x ẊẋẌẍ
        y ÝýÿŶŷŸȲȳẎẏẙỲỳỴỵỶỷỸỹ
        z ŹźŻżŽžẐẑẒẓẔẕ
        """;

    private static readonly FrozenDictionary<char, string> Plain = Letters
        .Split('\n')
        .Select(line => line.Trim().Split(' '))
        .SelectMany(words => words[1].Select(letter => (Letter: letter, Plain: words[0])))
        .ToFrozenDictionary(pair => pair.Letter, pair => pair.Plain);

    /// <summary>Lower case, accents taken off, runs of blanks made one.</summary>
    public static string Fold(string text)
    {
        var folded = new StringBuilder(text.Length);
        foreach (var letter in text)
        {
            if (char.IsAscii(letter))
            {
                if (!char.IsWhiteSpace(letter))
                {
                    folded.Append(char.ToLowerInvariant(letter));
                }
                else if (folded.Length > 0 && folded[^1] != ' ')
                {
                    folded.Append(' ');
                }
            }
            else if (Plain.TryGetValue(letter, out var plain))
            {
                folded.Append(plain);
            }
            else if (CharUnicodeInfo.GetUnicodeCategory(letter) != UnicodeCategory.NonSpacingMark)
            {
                folded.Append(char.ToLowerInvariant(letter));
            }
        }
        return folded.ToString().TrimEnd();
    }

    /// <summary>The text starts with the other.</summary>
    public static bool StartsWith(string text, string start) =>
        Fold(text).StartsWith(Fold(start), StringComparison.Ordinal);

    /// <summary>The text holds the other.</summary>
    public static bool Contains(string text, string part) => Fold(text).Contains(Fold(part), StringComparison.Ordinal);
}
